"""A parameter as what candidates get more of: whether it can be, and goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.base import clone

from skhpo._words import did_you_mean
from skhpo.evaluation.fitting._stages import final_step, views_suffice
from skhpo.evaluation.paths._stage_registry import find_stages
from skhpo.evaluation.training._parts import take_apart
from skhpo.evaluation.training._registry import goes_on_exactly
from skhpo.exceptions import InvalidSpaceError
from skhpo.search._check import assemblies, check_against_estimator, samples
from skhpo.search._run import Problem
from skhpo.space._curve import curve_in

__all__ = ["check_amounts", "check_parameter", "goes_on", "have_stages"]


def check_parameter(
    estimator: Any, subspaces: Sequence[Mapping[str, Any]], name: str, most: int | str
) -> None:
    """Raise ValueError if the resource is no parameter that is free."""
    if any(name in subspace for subspace in subspaces):
        raise ValueError(
            f"Cannot use parameter {name} as the resource since it is part of the "
            "searched parameters. Leave it out of the space: each iteration has its "
            "own value of it."
        )
    parts = {name.rsplit("__", n)[0] for n in range(1, name.count("__") + 1)}
    if name not in estimator.get_params() and not any(
        parts & set(subspace) for subspace in subspaces
    ):
        free = {"n_samples", *estimator.get_params()}.difference(*subspaces)
        hint = did_you_mean(name, free)
        raise ValueError(
            f"{hint}Cannot use resource={name} which is not supported by estimator "
            f"{type(estimator).__name__}. It is 'n_samples' for rows, or one of its "
            "parameters that is a number, such as 'max_iter' or, in a pipeline, "
            "'step__max_iter'."
        )
    if most == "auto":
        raise ValueError(
            "resource can only be 'n_samples' when max_resources='auto': of a "
            f"parameter, say how much the last iteration gets. Got resource={name!r}."
        )


def check_amounts(
    estimator: Any, subspaces: Sequence[Mapping[str, Any]], name: str, most: int
) -> None:
    """Raise if the estimator takes no such value, or there is a curve."""
    for subspace in subspaces:
        found = curve_in(subspace)
        if found is not None:
            raise InvalidSpaceError(
                f"Parameter {found[0]!r} is a Curve, and resource={name!r} is another "
                "number of iterations: one fit tells of one of them only. List values "
                "of the one, or set resource=None."
            )
        own = {name: [most]}
        for assembled in assemblies(estimator, subspace):
            check_against_estimator(assembled, [own], check_values=True)


def have_stages(
    estimator: Any, subspaces: Sequence[Mapping[str, Any]], name: str
) -> bool:
    """Whether one fit tells of all smaller values of a parameter, for all candidates.

    For a mixture of such candidates and others there is no best so far.
    """
    for subspace in subspaces:
        for assembled in assemblies(estimator, subspace):
            prefix, final = final_step(assembled)
            stages = find_stages(final)
            known = () if stages is None else stages.parameters
            if name not in [prefix + parameter for parameter in known]:
                return False
    return True


def goes_on(
    problem: Problem, subspaces: Sequence[Mapping[str, Any]], name: str
) -> bool:
    """Whether training from the models of the iteration before gives the same.

    Where it does not, or where that is not known, each fit begins afresh.
    """
    prefix, model = final_step(problem.estimator)
    if any(prefix.startswith(f"{n}__") for subspace in subspaces for n in subspace):
        return False  # the step itself is searched
    parameter = name.removeprefix(prefix)
    if not goes_on_exactly(model, parameter):
        return False
    if not all(_can_grow(model, prefix, subspace) for subspace in subspaces):
        return False
    try:
        take_apart(problem.estimator, resource=parameter)
    except ValueError:  # it is in a pipeline that is not taken apart
        return False
    return views_suffice(problem.scorers, problem.estimator)


def _can_grow(model: Any, prefix: str, subspace: Mapping[str, Any]) -> bool:
    """Whether a fit of a model goes on exactly, as it is and with the values searched.

    Each value is looked at by itself, for a parameter that is searched does not have
    the value that the model has.
    """
    stages = find_stages(model)
    if stages is None or stages.growth is None:
        return False
    searched = {
        parameter: list(samples(values))
        for name, values in subspace.items()
        if name.startswith(prefix)
        and "__" not in (parameter := name.removeprefix(prefix))
    }
    first = {parameter: values[0] for parameter, values in searched.items()}
    chosen = clone(model).set_params(**first)
    for parameter, values in searched.items():
        for value in values:
            if not stages.growth.applies(chosen.set_params(**{parameter: value})):
                return False
        chosen.set_params(**{parameter: values[0]})
    return bool(stages.growth.applies(chosen))
