"""Rows from files and databases."""
