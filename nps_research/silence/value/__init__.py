"""What silence adds to what is known before."""
