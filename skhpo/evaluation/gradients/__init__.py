"""Gradients of a score by hyperparameters, by class, from one fit."""
