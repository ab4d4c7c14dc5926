"""Whether those who do not answer leave."""
