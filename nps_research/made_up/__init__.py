"""made_up."""
