"""Signs of life while a search runs: how far, how fast, how good, and what hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from skhpo import _clock
from skhpo._lines import print_line
from skhpo._trial import Params, Trial
from skhpo._words import counted

__all__ = ["Heartbeat", "found_in_journal"]

# Seconds until the first line; each further one comes after half as long again, up to
# the longest pause, so that a night leaves some hundred lines.
FIRST, GROWTH, LONGEST = 10.0, 1.5, 300.0
# Fits that have been running for so many seconds are named.
LONG = 30.0


# What some worker has been given: for how many seconds, split, and the parameters of
# the candidates, one of which is being fitted.
Running = tuple[float, int, Sequence[Params]]


class Heartbeat:
    """Prints a line now and then, from a thread of its own; a context manager.

    Parameters
    ----------
    name : str
        Of the search.
    n_candidates : int or None
        How many there will be, where that is known.
    running : callable
        Returns what the workers have been given: for how many seconds, the split, and
        the parameters of its candidates.
    write : callable, default=print_line
        Where lines go.
    remark : callable or None, default=None
        Returns what else is to be said of the candidates so far, "" for nothing.
    """

    def __init__(
        self,
        name: str,
        n_candidates: int | None,
        running: Callable[[], Sequence[Running]],
        write: Callable[[str], Any] = print_line,
        remark: Callable[[], str] | None = None,
    ) -> None:
        self._name = name
        self._n_candidates = n_candidates
        self._running = running
        self._write = write
        self._remark = remark or (lambda: "")
        self._start = _clock.now()
        self._n_complete = 0
        self._n_dropped = 0
        self._n_evaluations = self._n_found = 0
        self._n_fresh = 0.0  # candidates, without what was found of them
        self._best: float | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()

    def note(self, trial: Trial) -> None:
        """Take note of a complete candidate."""
        score = trial.score
        self._n_complete += 1
        self._n_dropped += trial.dropped
        n_done, n_found = len(trial.done), sum(e.is_found for e in trial.done)
        self._n_evaluations += n_done
        self._n_found += n_found
        self._n_fresh += 1 - n_found / max(n_done, 1)
        if (
            not trial.failed
            and score == score
            and (self._best is None or score > self._best)
        ):
            self._best = score

    def line(self) -> str:
        """Return what is to be said now."""
        seconds = _clock.now() - self._start
        done = counted(self._n_complete, "candidate")
        if self._n_candidates is not None:
            done = f"{self._n_complete:,} of {counted(self._n_candidates, 'candidate')}"
        parts = [f"{done} in {duration(seconds)}"]
        if self._n_dropped:
            parts.append(f"{self._n_dropped} of them dropped")
        if self._n_found:
            parts.append(self._found())
        if self._n_fresh:
            parts.append(f"{60 * self._n_fresh / seconds:.3g} per minute")
            if self._n_candidates is not None:
                left = (self._n_candidates - self._n_complete) / self._n_fresh
                parts.append(f"about {duration(left * seconds)} left")
        if self._best is not None:
            parts.append(f"best score {self._best:.4g}")
        if remark := self._remark():
            parts.append(remark)
        lines = [f"[{self._name}] " + ", ".join(parts)]
        lines += [_describe(task) for task in self._running() if task[0] > LONG]
        return "\n".join(lines)

    def last_line(self) -> str:
        """Return what is to be said at the end, "" for nothing."""
        parts = [self._found()] if self._n_found else []
        if remark := self._remark():
            parts.append(remark)
        return f"[{self._name}] " + ", ".join(parts) if parts else ""

    def _found(self) -> str:
        return found_in_journal(self._n_found, self._n_evaluations)

    def _beat(self) -> None:
        pause = FIRST
        while not self._over.wait(pause):
            self._write(self.line())
            pause = min(GROWTH * pause, LONGEST)


def found_in_journal(n_found: int, n: int) -> str:
    """Return how many evaluations were not made now."""
    return f"{n_found:,} of {counted(n, 'evaluation')} found in the journal"


def duration(seconds: float) -> str:
    """Return a duration for people.

    Examples
    --------
    >>> duration(7.25), duration(100), duration(9000)
    ('7.2 s', '1 min 40 s', '2 h 30 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def _describe(task: Running) -> str:
    seconds, split, params = task
    more = f" or one of {len(params) - 1} others" if len(params) > 1 else ""
    return f"  running for {duration(seconds)}: split {split}, {dict(params[0])}{more}"
