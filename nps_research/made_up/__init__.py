"""Made-up companies with known truth."""
