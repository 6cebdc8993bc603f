"""What the result of a fitted search is worth, from what it has as attributes."""
