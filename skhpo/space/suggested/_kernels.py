"""Ranges of kernel machines, neighbors, naive Bayes and networks.

A kernel's gamma is the inverse of a squared distance, so it goes with the variance of
X. C and epsilon of a regression have the unit of y.
"""

from __future__ import annotations

from skhpo.space.suggested._bounds import Bound, N, P, at_most, of_data
from skhpo.space.suggested._linear import CLASS_WEIGHT, Y_STD
from skhpo.space.suggested._rows import Case, Ladder, Listed, Row, Span

__all__ = ["KERNELS", "SCALE", "gamma"]

# What gamma="scale" stands for.
_SPREAD = P * of_data("x_variance", "var(X)")
SCALE = 1 / Bound(f"({_SPREAD.text})", _SPREAD.at)
# Of a polynomial, gamma does what C does, and large values of both never converge.
_BY_GAMMA = ("rbf", "sigmoid", "laplacian", "chi2")


def gamma(low: float, high: float, **more: object) -> Row:
    """Return the row of a kernel's width, around "scale"."""
    values = Ladder(
        low, high, unit=SCALE,
        means={"scale": SCALE, "auto": 1 / P, None: 1 / P},
    )  # fmt: skip
    return Row(
        "gamma", 1, values, "inverse of a squared distance",
        "measured; auto-sklearn, TPOT, mlr3 in absolute numbers", **more,  # type: ignore[arg-type]
    )  # fmt: skip


GAMMA = gamma(1e-2, 10, when=("kernel", _BY_GAMMA))
SHAPE = (
    Row("kernel", 3, Listed(("rbf", "poly")), "shape of the kernel", "auto-sklearn"),
    Row("degree", 2, Span(2, 4, integer=True), "of the polynomial", "TPOT, mlr3",
        when=("kernel", ("poly",))),
    Row("coef0", 3, Span(0.0, 1.0), "weight of lower degrees", "auto-sklearn",
        when=("kernel", ("poly", "sigmoid"))),
)  # fmt: skip
STRENGTH = "inverse strength of the penalty"
SVC = (
    Row("C", 1, Span(1e-1, 1e3, log=True), STRENGTH, "measured; auto-sklearn, mlr3"),
    GAMMA, *SHAPE, CLASS_WEIGHT,
)  # fmt: skip
SVR = (
    Row("C", 1, Ladder(1e-1, 1e3, unit=Y_STD), STRENGTH, "auto-sklearn, TPOT"),
    GAMMA,
    Row("epsilon", 2, Ladder(1e-3, 1.0, unit=Y_STD),
        "errors that cost nothing", "auto-sklearn"),
    *SHAPE,
)  # fmt: skip
# A larger nu is infeasible where one class has few rows.
FEASIBLE = Bound(
    "0.9 x the largest feasible", lambda facts: 0.9 * facts.data.largest_nu
)
NU_SVC = (
    Row("nu", 1, Span(0.01, FEASIBLE), "share of support vectors", "hyperopt-sklearn"),
    GAMMA,
)  # fmt: skip
NU_SVR = (
    Row("C", 1, Ladder(1e-1, 1e3, unit=Y_STD), STRENGTH, "auto-sklearn, TPOT"),
    GAMMA,
    Row("nu", 2, Span(0.05, 0.9), "share of support vectors", "hyperopt-sklearn"),
)  # fmt: skip
KERNEL_RIDGE = (
    Row("alpha", 1, Span(1e-4, 1e2, log=True), "strength of the penalty",
        "hyperopt-sklearn 0 ... 1"),
    GAMMA,
)  # fmt: skip


def _is_word(value: object, words: tuple[str, ...]) -> bool:
    return isinstance(value, str) and value in words


NEIGHBORS = (
    Row("n_neighbors", 1, Span(1, at_most(100, N / 3), log=True, integer=True),
        "from one to a smooth average", "auto-sklearn, TPOT, FLAML"),
    Row("weights", 1, Listed(("uniform", "distance")), "of near and far ones", "all"),
    Row("p", 1, Listed((1, 2)), "absolute or squared differences", "measured; all",
        case=Case("metric='minkowski'", lambda facts: (
            _is_word(facts.own.get("metric"), ("minkowski",))
            and "p" not in (facts.own.get("metric_params") or {})))),
)  # fmt: skip
COUNTS = (
    Row("alpha", 1, Span(1e-3, 1e2, log=True), "added to all counts", "TPOT, GAMA"),
    Row("fit_prior", 2, Listed((True, False)), "whether frequent classes are likelier",
        "auto-sklearn, TPOT"),
)  # fmt: skip
GAUSSIAN = (
    Row("var_smoothing", 1, Span(1e-12, 1.0, log=True), "added to variances",
        "PyCaret"),
)  # fmt: skip
SIZES = (
    *((width,) for width in (16, 32, 64, 100, 128, 256)),
    *((width, width) for width in (32, 64, 128, 256)),
    (64, 64, 64), (128, 128, 128),
)  # fmt: skip
WIDTHS = Row(
    "hidden_layer_sizes", 1, Listed(SIZES), "width and depth",
    "auto-sklearn, TPOT: 1 to 3 layers of 16 to 512",
)  # fmt: skip


def _first_step(low: float, high: float, sources: str) -> Row:
    return Row(
        "learning_rate_init", 1, Span(low, high, log=True), "first step", sources,
        when=("solver", ("sgd", "adam")),
    )  # fmt: skip


def _penalty(tier: int) -> Row:
    values = Span(1e-7, 1e-1, log=True)
    return Row("alpha", tier, values, "strength of the penalty", "auto-sklearn, TPOT")


def _units(tier: int, sources: str) -> Row:
    return Row(
        "activation", tier, Listed(("relu", "tanh")), "shape of the units", sources
    )


_STEPS = "auto-sklearn, TPOT, hyperopt-sklearn"
MLP_CLASSIFIER = (
    _penalty(1), _first_step(1e-4, 1e-1, _STEPS), WIDTHS, _units(3, "auto-sklearn"),
)  # fmt: skip
# Targets in their own units are far from where a network begins: small steps do not get
# there. What the units are decides more than the penalty does.
MLP_REGRESSOR = (
    _first_step(1e-3, 3e-1, f"measured; {_STEPS} from 1e-4 to 0.1"),
    _units(1, "measured; auto-sklearn"), WIDTHS, _penalty(2),
)  # fmt: skip

KERNELS = {
    "sklearn.svm.SVC": SVC,
    "sklearn.svm.SVR": SVR,
    "sklearn.svm.NuSVC": NU_SVC,
    "sklearn.svm.NuSVR": NU_SVR,
    "sklearn.kernel_ridge.KernelRidge": KERNEL_RIDGE,
    "sklearn.neighbors.KNeighborsClassifier": NEIGHBORS,
    "sklearn.neighbors.KNeighborsRegressor": NEIGHBORS,
    "sklearn.naive_bayes.GaussianNB": GAUSSIAN,
    "sklearn.naive_bayes.MultinomialNB": COUNTS,
    "sklearn.naive_bayes.BernoulliNB": COUNTS,
    "sklearn.naive_bayes.ComplementNB": COUNTS,
    "sklearn.neural_network.MLPClassifier": MLP_CLASSIFIER,
    "sklearn.neural_network.MLPRegressor": MLP_REGRESSOR,
}
