"""The candidates of a fitted search, read off ``cv_results_``; a model of the score."""
