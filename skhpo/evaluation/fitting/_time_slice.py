"""How long a block works before it returns what it has.

Where a block is cut changes no result. It changes how often the same thing is done
again for the rest: sending, the slicing of the data, and the steps that candidates
share.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TIME_SLICES", "TimeSlice"]


@dataclass(frozen=True, slots=True)
class TimeSlice:
    """The seconds after which a block begins no further candidate.

    Parameters
    ----------
    seconds : float
        If nothing speaks against it.
    shared : float, default=1
        The least where fits of shared steps would be repeated, however short they are.
    overheads : float, default=20
        The least as a multiple of what the rest will have to do again (slicing, shared
        steps): that costs 5 % at most.
    """

    seconds: float
    shared: float = 1.0
    overheads: float = 20.0

    def patience(self, overhead: float, *, shares: bool = False) -> float:
        """Return the seconds after which a block may be cut.

        Parameters
        ----------
        overhead : float
            The seconds that the rest will need for what was done already.
        shares : bool, default=False
            Whether that includes fits.

        Returns
        -------
        float
            Seconds from the start of the block.
        """
        least = self.shared if shares else 0.0
        return max(self.seconds, least, self.overheads * overhead)


# A time slice is long against the 1 to 3 ms that it takes to send a task, and short
# against the patience of a user who presses Ctrl-C. It is shorter in this process,
# where nothing is sent; where a journal is to keep what has been done, since all of a
# block is lost with this process; and where callbacks are to hear of evaluations soon.
TIME_SLICES = {
    "here": TimeSlice(0.05),
    "heard": TimeSlice(0.1),
    "sent": TimeSlice(1.0),
}
