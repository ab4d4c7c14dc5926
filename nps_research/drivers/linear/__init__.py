"""The linear classics: shares of R squared."""
