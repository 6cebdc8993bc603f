"""Surrogates: models of the score over a search space."""

from skhpo.surrogates._gp import GaussianProcess, informative_subset

__all__ = ["GaussianProcess", "informative_subset"]
