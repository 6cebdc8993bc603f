"""What PBTSearch costs over the training itself, and beside Ray Tune's PBT.

    OMP_NUM_THREADS=1 python benchmarks/pbt.py [--ray] [--quality]

*Sequential*: processor time of the search over that of the same partial fits and
scores in a plain loop. *Parallel*: wall time over the ideal, with steps that sleep for
50 ms. The ideal is the time slept, divided by the workers: nothing is sent, scored or
waited for. Beside it stands what plain ``joblib.Parallel`` takes in as many rounds as
there are generations, of which each begins when the one before has ended: for the same
trainings and scores of the same models, and to sleep as often and do nothing else. The
pool of workers is warm: it has done a whole search and whole rounds. On a machine that
does other things, workers wait for a processor after each sleep, and all figures rise.
*Ray*: the same estimator, data, population and number of steps, one split and two
workers, in alternation, with the medians; needs ``ray[tune]``. Both have done a search
before, so that starting Ray and our pool is not in the figures. What Ray Tune does
before the first result and after the last (it starts processes for the trials, and ends
them) stands apart. It has its best settings: asynchronous, with processes that are used
again, and a processor for each. Without the second it took 286 s where it had taken 15
s, with four trials on a processor 54 s, synchronous 32 s.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import tempfile
import time
import warnings
from typing import Any

import joblib
import numpy as np
from joblib import Parallel, delayed
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits, make_classification
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import ShuffleSplit, train_test_split

from skhpo import PBTSearch, RandomSearch, ScheduledEstimator
from skhpo.evaluation.incremental import PartialFit, register_incremental

POPULATION, GENERATIONS = 8, 10
SLEEP = 0.05  # seconds
MARKS = {"sequential": 1.1, "parallel": 1.3, "ray": 10.0}
HOLDOUT = ShuffleSplit(1, test_size=0.25, random_state=0)


class Sleeper(ClassifierMixin, BaseEstimator):
    """Learns nothing, and takes its time."""

    def __init__(self, rate: float = 0.1, seconds: float = SLEEP) -> None:
        self.rate = rate
        self.seconds = seconds

    def fit(self, X: Any, y: Any) -> Sleeper:
        return self.partial_fit(X, y, np.unique(y))

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Sleeper:
        time.sleep(self.seconds)
        self.classes_ = classes
        return self

    def predict(self, X: Any) -> np.ndarray:
        return np.full(len(X), self.classes_[0])


def measure_sequential(repeat: int) -> float:
    """Return processor time of the search over that of a plain loop (5 ms a step)."""
    X, y = make_classification(20000, 10, n_informative=8, random_state=0)
    train, test = next(HOLDOUT.split(X))
    space = {"alpha": loguniform(1e-6, 1e-1)}

    def loop() -> float:
        start = time.process_time()
        for _ in range(POPULATION):
            model = SGDClassifier()
            for step in range(GENERATIONS):
                order = np.random.default_rng(step).permutation(train)
                model.partial_fit(X[order], y[order], classes=[0, 1])
                model.score(X[test], y[test])
        return time.process_time() - start

    def search() -> float:
        pbt = PBTSearch(
            SGDClassifier(), space, population_size=POPULATION,
            n_generations=GENERATIONS, cv=HOLDOUT, refit=False, random_state=0,
        )  # fmt: skip
        start = time.process_time()
        pbt.fit(X, y)
        return time.process_time() - start

    pairs = [(search(), loop()) for _ in range(repeat)]
    steps = POPULATION * GENERATIONS
    print(f"a step takes {1e3 * min(b for _, b in pairs) / steps:.1f} ms")
    # The least of each: what others do on the machine only adds.
    return min(a for a, _ in pairs) / min(b for _, b in pairs)


def sleep_in_rounds(n_jobs: int) -> None:
    """Do nothing but sleep, as often as the search and as much in step."""
    with Parallel(n_jobs, batch_size=1) as parallel:
        for _ in range(GENERATIONS):
            parallel(delayed(time.sleep)(SLEEP) for _ in range(POPULATION))


def train_in_rounds(n_jobs: int, X: np.ndarray, y: np.ndarray) -> None:
    """Do the trainings and the scores of the search, and as much in step."""
    train, test = next(HOLDOUT.split(X))
    models = [Sleeper() for _ in range(POPULATION)]
    with Parallel(n_jobs, batch_size=1) as parallel:
        for step in range(GENERATIONS):
            models = parallel(
                delayed(train_and_score)(model, X, y, train, test, step)
                for model in models
            )


def train_and_score(
    model: Any, X: np.ndarray, y: np.ndarray, train: Any, test: Any, step: int
) -> Any:
    """Return a model after one step more."""
    order = np.random.default_rng(step).permutation(train)
    model.partial_fit(X[order], y[order], classes=[0, 1])
    model.score(X[test], y[test])
    return model


def measure_parallel(repeat: int, n_jobs: int = 2) -> list[float]:
    """Return wall time over the ideal, the least of each.

    Ours, that of joblib for the same work, and that of joblib for sleeping alone.
    """
    register_incremental(Sleeper, PartialFit(), effective=["rate"])
    X, y = make_classification(200, random_state=0)
    search = PBTSearch(
        Sleeper(), {"rate": loguniform(1e-3, 1)}, population_size=POPULATION,
        n_generations=GENERATIONS, cv=HOLDOUT, refit=False, n_jobs=n_jobs,
    )  # fmt: skip
    ways = (
        lambda: search.fit(X, y),
        lambda: train_in_rounds(n_jobs, X, y),
        lambda: sleep_in_rounds(n_jobs),
    )
    seconds: list[list[float]] = []
    for _ in range(repeat + 1):  # the first ones start the pool
        seconds.append([])
        for way in ways:
            start = time.perf_counter()
            way()
            seconds[-1].append(time.perf_counter() - start)
    ideal = POPULATION * GENERATIONS * SLEEP / n_jobs
    # The least: what others do on the machine only adds.
    return [min(each) / ideal for each in zip(*seconds[1:], strict=True)]


def measure_ray(repeat: int) -> tuple[float, list[float]]:
    """Return the seconds of our search, and those of Ray Tune's three parts."""
    import ray

    logging.disable(logging.WARNING)  # of Ray Tune, a line for each exploit
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"  # else it prints tables at verbose=0
    ray.init(
        num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
    )
    X, y = load_digits(return_X_y=True)
    search = PBTSearch(
        SGDClassifier(), {"alpha": loguniform(1e-6, 1e-1)}, population_size=POPULATION,
        n_generations=GENERATIONS, cv=HOLDOUT, refit=False, n_jobs=2,
    )  # fmt: skip
    ours, rays = [], []
    for _ in range(repeat + 1):  # the first ones start the workers
        start = time.perf_counter()
        search.fit(X, y)
        ours.append(time.perf_counter() - start)
        with tempfile.TemporaryDirectory() as folder:
            rays.append(_run_ray(X, y, folder))
    parts = [statistics.median(part) for part in zip(*rays[1:], strict=True)]
    return statistics.median(ours[1:]), parts


def _run_ray(X: np.ndarray, y: np.ndarray, folder: str) -> tuple[float, float, float]:
    """Train the same population by Ray Tune.

    Return the seconds to the first result, from there to the last, and after it.
    """
    from ray import tune
    from ray.tune.schedulers import PopulationBasedTraining

    train, test = next(HOLDOUT.split(X))
    results = []

    class Trainable(tune.Trainable):  # type: ignore[misc]
        def setup(self, config: dict) -> None:
            self.model = SGDClassifier(alpha=config["alpha"])

        def step(self) -> dict:
            order = np.random.default_rng(self.iteration).permutation(train)
            self.model.partial_fit(X[order], y[order], classes=np.unique(y))
            return {"score": self.model.score(X[test], y[test])}

        def save_checkpoint(self, directory: str) -> None:
            joblib.dump(self.model, f"{directory}/model")

        def load_checkpoint(self, directory: str) -> None:
            alpha = self.config["alpha"]  # the changed one
            self.model = joblib.load(f"{directory}/model").set_params(alpha=alpha)

        def reset_config(self, config: dict) -> bool:
            self.setup(config)
            return True

    class Clock(tune.Callback):  # type: ignore[misc]
        def on_trial_result(self, *args: Any, **kwargs: Any) -> None:
            results.append(time.perf_counter())

    scheduler = PopulationBasedTraining(
        time_attr="training_iteration",
        perturbation_interval=1,
        hyperparam_mutations={"alpha": tune.loguniform(1e-6, 1e-1)},
    )
    tuner = tune.Tuner(
        Trainable,
        param_space={"alpha": tune.loguniform(1e-6, 1e-1)},
        tune_config=tune.TuneConfig(
            metric="score", mode="max", scheduler=scheduler,
            num_samples=POPULATION, reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            stop={"training_iteration": GENERATIONS}, verbose=0,
            storage_path=folder, callbacks=[Clock()],
        ),
    )  # fmt: skip
    start = time.perf_counter()
    tuner.fit()
    end = time.perf_counter()
    assert len(results) >= POPULATION * GENERATIONS  # exploits repeat some
    return results[0] - start, results[-1] - results[0], end - results[-1]


def measure_quality(n_seeds: int = 5) -> dict[str, float]:
    """Return the median test log loss of PBT and of fixed settings on digits.

    All train 20 passes over the data: a population of 8 that changes, 8 and 30
    settings that do not.
    """
    X, y = load_digits(return_X_y=True)
    model = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=0.01)
    space = {"eta0": loguniform(1e-6, 1e-1), "alpha": loguniform(1e-6, 1e-1)}
    fixed_space = {f"estimator__{name}": dist for name, dist in space.items()}
    losses: dict[str, list[float]] = {"pbt 8": [], "random 8": [], "random 30": []}
    for seed in range(n_seeds):
        X_train, X_test, y_train, y_test = train_test_split(
            X, y, test_size=0.4, random_state=seed, stratify=y
        )
        options: dict[str, Any] = {
            "cv": HOLDOUT, "scoring": "neg_log_loss", "random_state": seed
        }  # fmt: skip
        fixed = ScheduledEstimator(model, None, n_steps=20, random_state=seed)
        searches = {
            "pbt 8": PBTSearch(
                model, space, population_size=8, steps_per_generation=2, **options
            ),
            "random 8": RandomSearch(fixed, fixed_space, n_iter=8, **options),
            "random 30": RandomSearch(fixed, fixed_space, n_iter=30, **options),
        }
        for name, search in searches.items():
            search.fit(X_train, y_train)
            losses[name].append(log_loss(y_test, search.predict_proba(X_test)))
    return {name: statistics.median(values) for name, values in losses.items()}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ray", action="store_true", help="beside Ray Tune")
    parser.add_argument("--quality", action="store_true", help="losses, not times")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.quality:
        for name, loss in measure_quality().items():
            print(f"{name:10} test log loss {loss:.4f}")
        return
    ratio = measure_sequential(options.repeat)
    print(f"sequential: {ratio:.2f} of a plain loop (mark {MARKS['sequential']})")
    ours, same, sleep = measure_parallel(options.repeat)
    print(
        f"n_jobs=2: {ours:.2f} of the ideal (mark {MARKS['parallel']}); plain joblib "
        f"in rounds: {same:.2f} for the same work, {sleep:.2f} for sleeping alone"
    )
    if options.ray:
        ours, parts = measure_ray(options.repeat)
        rays = sum(parts)
        print(
            f"Ray Tune {rays:.2f} s, ours {ours:.2f} s: {rays / ours:.1f} times "
            f"faster (mark {MARKS['ray']:.0f})"
        )
        print(
            "of Ray Tune's, {:.2f} s to the first result, {:.2f} s to the last, "
            "{:.2f} s to the end; ".format(*parts)
            + f"the second alone is {parts[1] / ours:.1f} times ours"
        )


if __name__ == "__main__":
    main()
