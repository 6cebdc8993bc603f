"""Losses of linear models: their derivatives, and what is predicted of a linear form.

Notations: ``F`` of shape (n, K) is the linear form ``X @ W + b`` of n rows and K
outputs; ``y`` is what the loss compares it with.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, softmax

__all__ = [
    "LogTweedie",
    "Logistic",
    "Loss",
    "Softmax",
    "SquaredError",
    "SquaredHinge",
    "SquaredInsensitive",
    "SquaredSide",
]

Array = np.ndarray[Any, Any]


class Loss(ABC):
    """A loss per row, twice differentiable by the linear form."""

    @abstractmethod
    def first(self, F: Array, y: Array) -> Array:
        """Return the derivative by the linear form, of shape (n, K)."""

    @abstractmethod
    def block(self, F: Array, y: Array, k: int, l: int) -> Array | None:  # noqa: E741
        """Return the second derivative by outputs k and l, (n,); None if it is 0."""

    @abstractmethod
    def times(self, F: Array, y: Array, V: Array) -> Array:
        """Return the second derivative times V, both of shape (n, K)."""

    @abstractmethod
    def response(self, F: Array) -> Array:
        """Return what the model predicts: means, or a probability per class."""

    @abstractmethod
    def pull(self, F: Array, slopes: Array) -> Array:
        """Return derivatives by the linear form, from those by the prediction."""

    def unit(self, y: Array) -> float:
        """Return how far linear forms are apart that make a difference."""
        return 1.0


class _OneByOne(Loss):
    """A loss whose outputs do not depend on each other."""

    @abstractmethod
    def second(self, F: Array, y: Array) -> Array:
        """Return the second derivative by each output, of shape (n, K)."""

    def block(self, F: Array, y: Array, k: int, l: int) -> Array | None:  # noqa: E741
        column: Array = self.second(F, y)[:, k]
        return column if k == l else None

    def times(self, F: Array, y: Array, V: Array) -> Array:
        return self.second(F, y) * V


@dataclass(frozen=True)
class SquaredError(_OneByOne):
    """Half the squared error; `y` of shape (n, K)."""

    def first(self, F: Array, y: Array) -> Array:
        return F - y

    def second(self, F: Array, y: Array) -> Array:
        return np.ones_like(F)

    def response(self, F: Array) -> Array:
        return F

    def pull(self, F: Array, slopes: Array) -> Array:
        return slopes

    def unit(self, y: Array) -> float:
        return float(np.std(y))


class SquaredSide(SquaredError):
    """Half the squared distance to 1 for a class, to -1 for others; `y` is 1 or 0."""

    def first(self, F: Array, y: Array) -> Array:
        return F - (2 * y - 1)


class SquaredHinge(_OneByOne):
    """The square of what is missing to a margin of 1, one class against the others.

    `y` of shape (n, K) has the side of each row, 1 or -1, times its weight by class.
    """

    def first(self, F: Array, y: Array) -> Array:
        return -2 * y * np.maximum(1 - np.sign(y) * F, 0.0)

    def second(self, F: Array, y: Array) -> Array:
        return 2 * np.abs(y) * (np.sign(y) * F < 1)

    def response(self, F: Array) -> Array:
        return F

    def pull(self, F: Array, slopes: Array) -> Array:
        return slopes


@dataclass(frozen=True)
class SquaredInsensitive(SquaredError):
    """The square of what an error is above `epsilon`."""

    epsilon: float

    def first(self, F: Array, y: Array) -> Array:
        error = F - y
        return 2 * np.sign(error) * np.maximum(np.abs(error) - self.epsilon, 0.0)

    def second(self, F: Array, y: Array) -> Array:
        return 2.0 * (np.abs(F - y) > self.epsilon)


@dataclass(frozen=True)
class LogTweedie(_OneByOne):
    """Half the Tweedie deviance of the exponential of the linear form.

    Parameters
    ----------
    power : float
        Of the mean that the variance is proportional to: 1 is Poisson, 2 is Gamma.
    """

    power: float

    def first(self, F: Array, y: Array) -> Array:
        p = self.power
        return np.exp((2 - p) * F) - y * np.exp((1 - p) * F)

    def second(self, F: Array, y: Array) -> Array:
        p = self.power
        return (2 - p) * np.exp((2 - p) * F) - (1 - p) * y * np.exp((1 - p) * F)

    def response(self, F: Array) -> Array:
        return np.exp(F)

    def pull(self, F: Array, slopes: Array) -> Array:
        return slopes * np.exp(F)


@dataclass(frozen=True)
class Logistic(_OneByOne):
    """The log loss of two classes, with one output; `y` of shape (n, 1) is 0 or 1."""

    def first(self, F: Array, y: Array) -> Array:
        return expit(F) - y

    def second(self, F: Array, y: Array) -> Array:
        return expit(F) * expit(-F)

    def response(self, F: Array) -> Array:
        return np.hstack([expit(-F), expit(F)])

    def pull(self, F: Array, slopes: Array) -> Array:
        difference = slopes[:, 1:] - slopes[:, :1]
        return difference * self.second(F, difference)


@dataclass(frozen=True)
class Softmax(Loss):
    """The log loss of K classes with an output each; `y` of shape (n, K) is 0 or 1."""

    def first(self, F: Array, y: Array) -> Array:
        return softmax(F, axis=1) - y

    def block(self, F: Array, y: Array, k: int, l: int) -> Array | None:  # noqa: E741
        P = softmax(F, axis=1)
        return P[:, k] * (float(k == l) - P[:, l])

    def times(self, F: Array, y: Array, V: Array) -> Array:
        return self.pull(F, V)

    def response(self, F: Array) -> Array:
        return softmax(F, axis=1)

    def pull(self, F: Array, slopes: Array) -> Array:
        P = softmax(F, axis=1)
        return P * (slopes - (P * slopes).sum(axis=1, keepdims=True))
