"""What beside ``set_params`` makes a change act on a half-trained model.

Neural networks of scikit-learn copy their step size, momentum and decay rates into an
optimizer object when training begins, and read the parameters never again; a changed
``learning_rate_init`` is silently ignored by ``partial_fit``. Building the optimizer
anew would lose its moments, so the values inside are set.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

__all__ = ["MLP_OPTIMIZER_PARAMETERS", "set_on_optimizer"]

# Parameter of the network -> attribute of its optimizer, by solver.
MLP_OPTIMIZER_PARAMETERS: dict[str, dict[str, str]] = {
    "sgd": {
        "learning_rate_init": "learning_rate_init",
        "learning_rate": "lr_schedule",
        "power_t": "power_t",
        "momentum": "momentum",
        "nesterovs_momentum": "nesterov",
    },
    "adam": {
        "learning_rate_init": "learning_rate_init",
        "beta_1": "beta_1",
        "beta_2": "beta_2",
        "epsilon": "epsilon",
    },
}


def set_on_optimizer(model: Any, names: Collection[str]) -> None:
    """Bring changed parameters of a neural network into its running optimizer.

    The attribute ``_optimizer`` is private to scikit-learn: this is the only place
    that touches it, and a test asserts the effect on every supported version.

    Parameters
    ----------
    model : MLPClassifier or MLPRegressor
        Trained or not; its parameters are set already.
    names : collection of str
        Those that have changed.

    Raises
    ------
    RuntimeError
        If the network is trained, but has no such optimizer (an unknown version of
        scikit-learn, or ``solver="lbfgs"``).
    """
    copied = MLP_OPTIMIZER_PARAMETERS.get(model.solver, {})
    changed = [name for name in names if name in copied]
    if not changed or not hasattr(model, "coefs_"):
        return
    optimizer = getattr(model, "_optimizer", None)
    if optimizer is None or not all(hasattr(optimizer, copied[n]) for n in changed):
        raise RuntimeError(
            f"{changed} of {type(model).__name__} cannot be changed while it is "
            "trained with this version of scikit-learn. Declare them in frozen=[...]."
        )
    for name in changed:
        setattr(optimizer, copied[name], getattr(model, name))
    if {"learning_rate_init", "learning_rate"} & set(changed):
        # Adam derives its step size anew from learning_rate_init at every update, SGD
        # keeps the current one here ("invscaling" overwrites it after each pass).
        optimizer.learning_rate = float(model.learning_rate_init)
