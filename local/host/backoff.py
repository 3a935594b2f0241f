"""How long to wait before an empty queue is asked again."""

import random

SHORTEST_SECONDS = 0.1
_SPREAD = 0.2


class Backoff:
    """Exponential from 0.1 s up to a longest wait, as in the WebJobs SDK's RandomizedExponentialBackoffStrategy."""

    def __init__(self, *, longest_seconds: float) -> None:
        self._longest = longest_seconds
        self._last = 0.0
        self._exponent = 0

    def reset(self) -> None:
        """Start again with the shortest wait."""
        self._last = 0.0
        self._exponent = 0

    def next_seconds(self) -> float:
        """Return the next wait; the longest, once reached, stays."""
        if self._last < self._longest:
            self._last = min(self._grown(), self._longest)
            self._exponent += 1
        return self._last

    def _grown(self) -> float:
        if self._exponent == 0:
            return SHORTEST_SECONDS
        # Random, so that several instances do not ask all at once.
        growth = random.uniform(1 - _SPREAD, 1 + _SPREAD) * 2.0 ** (self._exponent - 1)  # noqa: S311 - no secret
        return SHORTEST_SECONDS * (1 + growth)
