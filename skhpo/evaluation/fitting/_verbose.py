"""The lines that ``verbose`` prints, in scikit-learn's format."""

from __future__ import annotations

from joblib.logger import short_format_time

from skhpo._lines import print_line
from skhpo._trial import Evaluation, Params

__all__ = ["print_end", "print_start"]

WIDTH = 80


def print_start(
    verbose: int,
    split: tuple[int, int],
    candidate: tuple[int, int | None],
    params: Params,
) -> None:
    """Announce an evaluation (from ``verbose=10`` on)."""
    if verbose > 9:
        message = f"[CV{_progress(verbose, split, candidate)}] START {_show(params)}"
        print_line(message + (WIDTH - len(message)) * ".")


def print_end(
    verbose: int,
    split: tuple[int, int],
    candidate: tuple[int, int | None],
    params: Params,
    evaluation: Evaluation,
) -> None:
    """Report an evaluation: its time, from ``verbose=3`` on its scores too.

    Parameters
    ----------
    verbose : int
        The user's.
    split, candidate : tuple of int
        Number, from 1, and their total (None: not known).
    params : mapping of str to object
        The candidate's parameters.
    evaluation : Evaluation
        What to report.
    """
    if verbose <= 1:
        return
    head = f"[CV{_progress(verbose, split, candidate)}] END "
    tail = _show(params) + (";" if params else "")
    if verbose > 2:
        tail += _show_scores(evaluation)
    seconds = evaluation.fit_time + evaluation.score_time
    tail += f" total time={short_format_time(seconds)}"
    print_line(head + "." * (WIDTH - len(head) - len(tail)) + tail)


def _progress(
    verbose: int, split: tuple[int, int], candidate: tuple[int, int | None]
) -> str:
    if verbose <= 2:
        return ""
    text = f" {split[0]}/{split[1]}"
    if verbose > 9:
        text += f"; {candidate[0]}/{'?' if candidate[1] is None else candidate[1]}"
    return text


def _show(params: Params) -> str:
    return ", ".join(f"{name}={params[name]}" for name in sorted(params))


def _show_scores(evaluation: Evaluation) -> str:
    test, train = evaluation.test_scores, evaluation.train_scores
    if not isinstance(test, dict):
        shown = f"{test:.3f}"
        if train is not None:
            shown = f"(train={train:.3f}, test={test:.3f})"
        return f", score={shown}"
    text = ""
    for name in sorted(test):
        with_train = f"train={train[name]:.3f}, " if isinstance(train, dict) else ""
        text += f" {name}: ({with_train}test={test[name]:.3f})"
    return text
