"""How long a webhook may take, and when it is tried again: what the fragment of its URL says.

https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
"""

from typing import Self
from urllib.parse import parse_qsl, urlsplit

import msgspec


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The connection overrides in a URL's fragment; times in seconds."""

    connect: float = 5.0
    read: float = 15.0
    total: float = 15.0
    retries: int = 1
    policy: frozenset[str] = frozenset({"ct"})

    @classmethod
    def of(cls, url: str) -> Self:
        """Read them, each held within its documented range; anything unknown is ignored."""
        given = dict(parse_qsl(urlsplit(url).fragment))

        def number(name: str, default: float, *, low: int, high: int) -> float:
            text = given.get(name, "")
            return min(max(int(text), low), high) if text.isdecimal() else default

        return cls(
            connect=number("ct", 5000, low=100, high=10_000) / 1000,
            read=number("rt", 15_000, low=100, high=15_000) / 1000,
            total=number("tt", 15_000, low=100, high=15_000) / 1000,
            retries=int(number("rc", 1, low=0, high=5)),
            policy=frozenset(given.get("rp", "ct").split(",")),
        )

    def retry(self, fault: str | None) -> bool:
        """Whether this fault is one to try again after."""
        return fault is not None and ("all" in self.policy or fault in self.policy)
