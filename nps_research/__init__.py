"""Net Promoter Score research: see the README and the notebooks."""
