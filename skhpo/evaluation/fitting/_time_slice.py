"""How long a block works before it returns what it has.

Where a block is cut changes no result, only how often the rest does something again:
what is sent, the slicing of the data, and the steps that candidates share.
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


# Long against the 1-3 ms that a task costs to send, short against the patience of
# whoever presses Ctrl-C. In this process nothing is sent; and what has been sent is
# lost if this process is killed. Where callbacks listen, they hear of it soon.
TIME_SLICES = {
    "here": TimeSlice(0.05),
    "heard": TimeSlice(0.1),
    "sent": TimeSlice(1.0),
}
