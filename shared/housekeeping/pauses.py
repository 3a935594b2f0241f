"""When to look again at a delivery that nothing is heard of: after growing pauses. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Steps since a moment: the first one, then each `factor` times the one before it, `most` apart at last."""

    first: timedelta
    factor: int
    most: timedelta

    def next_step(self, since: datetime, now: datetime) -> datetime:
        """Return the first step that is at least the first pause away from now.

        The steps follow from `since` alone. So two entries of one delivery, which a crash may leave, come to the same
        step again and become one; and a look that comes late is not followed by another one at once.
        """
        step = self.first
        while since + step < now + self.first:
            step += min(step * (self.factor - 1), self.most)
        return since + step
