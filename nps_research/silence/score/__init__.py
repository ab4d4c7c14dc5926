"""The score if all had answered."""
