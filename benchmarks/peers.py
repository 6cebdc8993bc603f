"""Searches of this and other packages behind one interface: ask, tell.

A peer is made by ``peer(space, seed, budget, own)`` from a problem's space and the
values that its estimator has, if any; ``ask()`` returns params, ``tell(params,
split_scores)`` takes what came of them. Each adapter imports its package when it is
made, so that one environment need not hold all.

Of the searches for scikit-learn only ``BayesSearch`` looks at the estimator's own
values, and tries them first; so does "skhpo". "skhpo-blank" does without.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from skhpo import _trial
from skhpo.optimizers import BayesOptimizer
from skhpo.space import Categorical, Choice, Integer, SearchSpace
from skhpo.space._dimensions import Dimension

__all__ = ["PEERS"]

Params = dict[str, Any]


class Skhpo:
    """This package."""

    def __init__(self, space: Any, seed: int, budget: int, **options: Any) -> None:
        del budget
        self.optimizer = BayesOptimizer(space, random_state=seed, **options)

    def ask(self) -> Params | None:
        """Return the next params, None if the space is exhausted."""
        candidates = self.optimizer.ask(1)
        if not candidates:
            return None
        self.candidate = candidates[0]
        return dict(self.candidate.params)

    def tell(self, params: Params, scores: Any) -> None:
        """Report the scores of the last params."""
        del params
        failed = not np.isfinite(scores).all()
        trial = _trial.Trial.from_scores(self.candidate, tuple(scores), failed)
        self.optimizer.tell([trial])


class Random:
    """Uniform random sampling."""

    def __init__(self, space: Any, seed: int, budget: int) -> None:
        del budget
        self.space, self.rng = SearchSpace(space), np.random.default_rng(seed)

    def ask(self) -> Params:
        """Return random params."""
        return self.space.decode(self.rng.random(self.space.n_columns))

    def tell(self, params: Params, scores: Any) -> None:
        """Learn nothing."""


def mean_loss(scores: Any, worst: float) -> float:
    """Return a finite loss; failures count as the worst one seen."""
    loss = -float(np.mean(scores))
    return loss if np.isfinite(loss) else worst


class Optuna:
    """Optuna's samplers, define-by-run along the conditions."""

    def __init__(self, space: Any, seed: int, budget: int, sampler: str) -> None:
        import optuna

        del budget
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore")
        kind = getattr(optuna.samplers, sampler)
        self.study = optuna.create_study(sampler=kind(seed=seed))
        self.space, self.worst = space, 1e10

    def ask(self) -> Params:
        """Return the next params."""
        self.trial = self.study.ask()
        return self._suggest(self.space)

    def _suggest(self, space: Any) -> Params:
        params: Params = {}
        for name, dimension in (space or {}).items():
            if isinstance(dimension, Choice):
                values = [value for value, _ in dimension.branches]
                params[name] = self.trial.suggest_categorical(name, values)
                params |= self._suggest(dict(dimension.branches)[params[name]])
            elif isinstance(dimension, Categorical) and dimension.ordered:
                last = dimension.n_values - 1
                params[name] = dimension.values[self.trial.suggest_int(name, 0, last)]
            elif isinstance(dimension, Categorical):
                params[name] = self.trial.suggest_categorical(name, dimension.values)
            else:
                integer = isinstance(dimension, Integer)
                draw = self.trial.suggest_int if integer else self.trial.suggest_float
                params[name] = draw(
                    name, dimension.low, dimension.high, log=dimension.log
                )
        return params

    def tell(self, params: Params, scores: Any) -> None:
        """Report the scores of the last params."""
        self.study.tell(self.trial, mean_loss(scores, self.worst))


class Hyperopt:
    """hyperopt's TPE."""

    def __init__(self, space: Any, seed: int, budget: int, algo: str = "tpe") -> None:
        import hyperopt

        del budget
        self.hp, self.suggest = hyperopt, getattr(hyperopt, algo).suggest
        self.space, self.dimensions = self._dict(space), flat(space)
        self.trials = hyperopt.Trials()
        self.domain = hyperopt.Domain(lambda params: 0.0, self.space)
        self.rng = np.random.default_rng(seed)

    def _dict(self, space: Any) -> Any:
        return {name: self._expr(name, value) for name, value in (space or {}).items()}

    def _expr(self, name: str, dimension: Any) -> Any:
        hp = self.hp.hp
        if isinstance(dimension, Choice):
            options = [(value, self._dict(sub)) for value, sub in dimension.branches]
            return hp.choice(name, options)
        if isinstance(dimension, Categorical) and dimension.ordered:
            ranks = hp.quniform(name, -0.5, dimension.n_values - 0.5, 1)
            return ("rank", dimension.values, ranks)
        if isinstance(dimension, Categorical):
            return hp.choice(name, list(dimension.values))
        low, high = dimension.low, dimension.high
        if isinstance(dimension, Integer):
            if dimension.log:
                return hp.qloguniform(name, np.log(low - 0.5), np.log(high + 0.5), 1)
            return hp.quniform(name, low - 0.5, high + 0.5, 1)
        if dimension.log:
            return hp.loguniform(name, np.log(low), np.log(high))
        return hp.uniform(name, low, high)

    def ask(self) -> Params:
        """Return the next params."""
        seed = int(self.rng.integers(2**31 - 1))
        ids = self.trials.new_trial_ids(1)
        self.document = self.suggest(ids, self.domain, self.trials, seed)[0]
        values = {k: v[0] for k, v in self.document["misc"]["vals"].items() if v}
        params = self._flatten(self.hp.space_eval(self.space, values))
        for name, value in params.items():
            dimension = self.dimensions[name]
            if isinstance(dimension, Integer):  # quniform gives floats, and half cells
                params[name] = dimension.clip(round(value))
        return params

    def _flatten(self, nested: Any) -> Params:
        params: Params = {}
        for name, value in nested.items():
            if isinstance(value, tuple) and len(value) == 3 and value[0] == "rank":
                last = len(value[1]) - 1
                params[name] = value[1][int(np.clip(value[2], 0, last))]
            elif isinstance(value, tuple) and isinstance(value[1], dict):
                params[name] = value[0]
                params |= self._flatten(value[1])
            else:
                params[name] = value
        return params

    def tell(self, params: Params, scores: Any) -> None:
        """Report the scores of the last params."""
        loss = mean_loss(scores, 1e10)
        self.document["result"] = {"loss": loss, "status": self.hp.STATUS_OK}
        self.document["state"] = self.hp.JOB_STATE_DONE
        self.trials.insert_trial_docs([self.document])
        self.trials.refresh()


def flat(space: Any) -> dict[str, Dimension]:
    """Return all dimensions of a space, those of all branches side by side."""
    dimensions: dict[str, Dimension] = {}
    for name, dimension in (space or {}).items():
        if isinstance(dimension, Choice):
            dimensions[name] = Categorical([v for v, _ in dimension.branches])
            for _, sub_space in dimension.branches:
                dimensions |= flat(sub_space)
        else:
            dimensions[name] = dimension
    return dimensions


def active(space: Any, params: Params) -> Params:
    """Return the params that exist, given the values of the choices among them."""
    kept: Params = {}
    for name, dimension in (space or {}).items():
        kept[name] = params[name]
        if isinstance(dimension, Choice):
            kept |= active(dict(dimension.branches)[params[name]], params)
    return kept


class Skopt:
    """scikit-optimize's Optimizer; conditions are not known to it."""

    def __init__(self, space: Any, seed: int, budget: int, base: str) -> None:
        import skopt
        from skopt.space import Categorical as C
        from skopt.space import Integer as Int
        from skopt.space import Real as R

        del budget
        warnings.simplefilter("ignore")
        self.space, self.dimensions = space, flat(space)
        translated = []
        for dimension in self.dimensions.values():
            if isinstance(dimension, Categorical):
                n = dimension.n_values
                ordered = dimension.ordered
                translated.append(Int(0, n - 1) if ordered else C(dimension.values))
                continue
            prior = "log-uniform" if dimension.log else "uniform"
            kind = Int if isinstance(dimension, Integer) else R
            translated.append(kind(dimension.low, dimension.high, prior=prior))
        self.optimizer = skopt.Optimizer(translated, base, random_state=seed)

    def ask(self) -> Params:
        """Return the next params."""
        self.x = self.optimizer.ask()
        params: Params = {}
        for (name, dimension), value in zip(
            self.dimensions.items(), self.x, strict=True
        ):
            is_rank = isinstance(dimension, Categorical) and dimension.ordered
            value = value.item() if isinstance(value, np.generic) else value
            params[name] = dimension.values[value] if is_rank else value
        return active(self.space, params)

    def tell(self, params: Params, scores: Any) -> None:
        """Report the scores of the last params."""
        self.optimizer.tell(self.x, mean_loss(scores, 1e10))


class Hebo:
    """HEBO; conditions are not known to it."""

    def __init__(self, space: Any, seed: int, budget: int) -> None:
        import pandas as pd
        import torch
        from hebo.design_space.design_space import DesignSpace
        from hebo.optimizers.hebo import HEBO

        del budget
        warnings.simplefilter("ignore")
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - HEBO draws from the global generator
        self.pd, self.space, self.dimensions = pd, space, flat(space)
        rows = [self._row(name, dim) for name, dim in self.dimensions.items()]
        self.optimizer = HEBO(DesignSpace().parse(rows), scramble_seed=seed)

    @staticmethod
    def _row(name: str, dimension: Any) -> dict[str, Any]:
        if isinstance(dimension, Categorical) and dimension.ordered:
            last = dimension.n_values - 1
            return {"name": name, "type": "int", "lb": 0, "ub": last}
        if isinstance(dimension, Categorical):
            return {"name": name, "type": "cat", "categories": list(dimension.values)}
        kind = "int" if isinstance(dimension, Integer) else "num"
        if dimension.log:
            kind = "pow_int" if kind == "int" else "pow"
        row = {"name": name, "type": kind, "lb": dimension.low, "ub": dimension.high}
        return row | ({"base": 10} if dimension.log else {})

    def ask(self) -> Params:
        """Return the next params."""
        self.suggestion = self.optimizer.suggest(n_suggestions=1)
        params: Params = {}
        for name, dimension in self.dimensions.items():
            value = self.suggestion[name].iloc[0]
            value = value.item() if isinstance(value, np.generic) else value
            if isinstance(dimension, Integer):
                value = int(value)
            is_rank = isinstance(dimension, Categorical) and dimension.ordered
            params[name] = dimension.values[int(value)] if is_rank else value
        return active(self.space, params)

    def tell(self, params: Params, scores: Any) -> None:
        """Report the scores of the last params."""
        loss = mean_loss(scores, 1e10)
        self.optimizer.observe(self.suggestion, np.array([[loss]]))


class Smac:
    """SMAC's hyperparameter-optimization facade (random forest)."""

    def __init__(self, space: Any, seed: int, budget: int) -> None:
        import logging
        import tempfile

        import ConfigSpace as CS
        from smac import HyperparameterOptimizationFacade as Facade
        from smac import Scenario

        logging.disable(logging.WARNING)
        self.CS, self.config_space = CS, CS.ConfigurationSpace(seed=seed)
        self.ranks: dict[str, Categorical] = {}
        self._add(space, None)
        scenario = Scenario(
            self.config_space,
            n_trials=budget,
            seed=seed,
            output_directory=tempfile.mkdtemp(),
        )
        self.facade = Facade(
            scenario, lambda config, seed=0: 0.0, overwrite=True, logging_level=50
        )

    def _add(self, space: Any, parent: Any) -> None:
        CS = self.CS
        for name, dimension in (space or {}).items():
            if isinstance(dimension, Choice):
                values = [value for value, _ in dimension.branches]
                hyper = CS.CategoricalHyperparameter(name, values)
            elif isinstance(dimension, Categorical) and dimension.ordered:
                self.ranks[name] = dimension
                last = dimension.n_values - 1
                hyper = CS.UniformIntegerHyperparameter(name, 0, last)
            elif isinstance(dimension, Categorical):
                hyper = CS.CategoricalHyperparameter(name, list(dimension.values))
            else:
                integer = isinstance(dimension, Integer)
                kind = (
                    CS.UniformIntegerHyperparameter
                    if integer
                    else CS.UniformFloatHyperparameter
                )
                low, high = dimension.low, dimension.high
                hyper = kind(name, low, high, log=dimension.log)
            self.config_space.add(hyper)
            if parent is not None:
                self.config_space.add(CS.EqualsCondition(hyper, *parent))
            if isinstance(dimension, Choice):
                for value, sub_space in dimension.branches:
                    self._add(sub_space, (hyper, value))

    def ask(self) -> Params:
        """Return the next params."""
        self.info = self.facade.ask()
        params: Params = {}
        for name, value in dict(self.info.config).items():
            value = value.item() if isinstance(value, np.generic) else value
            params[name] = (
                self.ranks[name].values[value] if name in self.ranks else value
            )
        return params

    def tell(self, params: Params, scores: Any) -> None:
        """Report the scores of the last params."""
        from smac.runhistory.dataclasses import TrialValue

        self.facade.tell(self.info, TrialValue(cost=mean_loss(scores, 1e10)))


def option(kind: Any, **options: Any) -> Callable[[Any, int, int, Any], Any]:
    """Return a peer with options fixed that starts from nothing."""
    return lambda space, seed, budget, own: kind(space, seed, budget, **options)


def like_search(space: Any, seed: int, budget: int, own: Any) -> Skhpo:
    """Return this package's optimizer as `BayesSearch` makes it."""
    return Skhpo(space, seed, budget, initial_params=own)


PEERS: dict[str, Callable[[Any, int, int, Any], Any]] = {
    "random": option(Random),
    "skhpo": like_search,
    "skhpo-blank": option(Skhpo),
    "skhpo-forest": option(Skhpo, surrogate="forest"),
    "skhpo-tpe": option(Skhpo, surrogate="tpe"),
    "optuna-tpe": option(Optuna, sampler="TPESampler"),
    "optuna-gp": option(Optuna, sampler="GPSampler"),
    "hyperopt": option(Hyperopt),
    "hyperopt-anneal": option(Hyperopt, algo="anneal"),
    "skopt-gp": option(Skopt, base="GP"),
    "skopt-forest": option(Skopt, base="ET"),
    "smac": option(Smac),
    "hebo": option(Hebo),
}
