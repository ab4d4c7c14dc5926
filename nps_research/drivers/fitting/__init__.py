"""The fit behind the drivers: trees, cross-fitting, resamples, the test against noise."""
