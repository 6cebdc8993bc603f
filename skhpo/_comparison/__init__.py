"""Searches compared on rows that none of them has seen."""
