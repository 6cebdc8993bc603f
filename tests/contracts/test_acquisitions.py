"""What every acquisition promises, checked for all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from skhpo import acquisition as module
from skhpo.acquisition import (
    NumericalAcquisition,
    expected_improvement,
    log_expected_improvement,
    log_probability_of_improvement,
    probability_of_improvement,
    upper_confidence_bound,
)

ACQUISITIONS = [
    expected_improvement,
    log_expected_improvement,
    probability_of_improvement,
    log_probability_of_improvement,
    upper_confidence_bound,
]
Z = np.concatenate([np.linspace(-40, 8, 500), [-1e2, -999, -1001, -9999, -10001]])


@pytest.mark.parametrize("acquisition", ACQUISITIONS)
def test_derivatives_are_the_finite_differences(acquisition: Any) -> None:
    """By mean and by deviation, from far below the incumbent to above it."""
    std = np.full_like(Z, 0.7)
    mean = 0.3 + std * Z
    _, d_mean, d_std = acquisition(mean, std, 0.3)
    h = 1e-6 * np.maximum(1, np.abs(mean))
    by_mean = (
        acquisition(mean + h, std, 0.3).value - acquisition(mean - h, std, 0.3).value
    )
    np.testing.assert_allclose(d_mean, by_mean / (2 * h), rtol=1e-4, atol=1e-7)
    h = 1e-6
    by_std = (
        acquisition(mean, std + h, 0.3).value - acquisition(mean, std - h, 0.3).value
    )
    np.testing.assert_allclose(d_std, by_std / (2 * h), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("acquisition", ACQUISITIONS)
def test_grows_with_the_mean(acquisition: Any) -> None:
    """A better expectation is never less promising."""
    mean = np.linspace(-50, 50, 2001)
    assert (np.diff(acquisition(mean, np.ones_like(mean), 0.0).value) >= 0).all()


def test_expected_improvement_is_the_integral() -> None:
    """E[max(f - best, 0)] by quadrature."""
    for z in (-3.0, -1.0, 0.0, 1.5):
        expected, _ = integrate.quad(
            lambda u, z=z: max(u + z, 0) * stats.norm.pdf(u), -9, 9
        )
        value = expected_improvement(np.array([z]), np.ones(1), 0.0).value[0]
        assert value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("z", [-30.0, -20.0, -5.0, -1.0, 0.0, 3.0])
def test_log_ei_is_the_logarithm_of_ei(z: float) -> None:
    """Where both can be computed."""
    mean, std = np.array([z]), np.ones(1)
    logarithm = log_expected_improvement(mean, std, 0.0).value
    np.testing.assert_allclose(
        np.exp(logarithm), expected_improvement(mean, std, 0.0).value, rtol=1e-6
    )


def test_log_ei_is_finite_and_monotone_over_all_magnitudes() -> None:
    """From -1e100 to 1e100, and for deviations as small and as large."""
    mean = np.concatenate([-np.logspace(100, -100, 801), np.logspace(-100, 100, 801)])
    for std in (1e-100, 1e-10, 1.0, 1e10, 1e100):
        result = log_expected_improvement(mean, np.full_like(mean, std), 0.0)
        assert all(np.isfinite(part).all() for part in result)
        assert (np.diff(result.value) >= 0).all()


def test_log_h_has_no_seams() -> None:
    """The branches meet: differences stay smooth across their borders."""
    for border in (-1.0, -30.0, -1e4):
        z = border * (1 + 1e-7 * np.arange(-3, 4))
        slope = np.diff(module._log_h(z)) / np.diff(z)
        np.testing.assert_allclose(slope, slope[0], rtol=1e-3)


@pytest.mark.parametrize(
    "acquisition", [log_expected_improvement, log_probability_of_improvement]
)
def test_derivatives_have_no_seams(acquisition: Any) -> None:
    """Where a series takes over from the quotient, all but the last digits agree."""
    mean = -1e3 * np.array([1 - 1e-12, 1 + 1e-12])
    _, d_mean, d_std = acquisition(mean, np.ones(2), 0.0)
    np.testing.assert_allclose(d_mean[0], d_mean[1], rtol=1e-8)
    np.testing.assert_allclose(d_std[0], d_std[1], rtol=1e-8)


def test_limits_for_vanishing_deviation() -> None:
    """EI becomes the plain improvement, PI a step."""
    mean, std = np.array([-1.0, 2.0]), np.zeros(2)
    np.testing.assert_allclose(expected_improvement(mean, std, 0.0).value, [0, 2])
    np.testing.assert_allclose(probability_of_improvement(mean, std, 0.0).value, [0, 1])


def test_log_pi_is_the_logarithm_of_pi() -> None:
    """Far below the incumbent as well."""
    mean, std = np.array([-30.0, -3.0, 1.0]), np.ones(3)
    np.testing.assert_allclose(
        log_probability_of_improvement(mean, std, 0.0).value, stats.norm.logcdf(mean)
    )


def test_a_callable_gets_numerical_derivatives() -> None:
    """Those of mu + 2 sigma are known."""
    own = NumericalAcquisition(lambda mean, std, best: mean + 2 * std)
    value, d_mean, d_std = own(np.array([1.0]), np.array([0.5]), 0.0)
    np.testing.assert_allclose((value, d_mean, d_std), ([2.0], [1.0], [2.0]))


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_numerical_derivatives_have_the_scale_of_the_deviation(scale: float) -> None:
    own = NumericalAcquisition(
        lambda mean, std, best: expected_improvement(mean, std, best).value
    )
    mean, std = scale * np.array([-1.0, 0.0, 2.0]), scale * np.array([0.5, 1.0, 2.0])
    known = expected_improvement(mean, std, 0.0)
    for numerical, exact in zip(own(mean, std, 0.0), known, strict=True):
        np.testing.assert_allclose(numerical, exact, rtol=1e-5)
