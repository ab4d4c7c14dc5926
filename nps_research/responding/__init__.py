"""responding."""
