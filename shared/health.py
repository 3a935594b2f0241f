"""Whether this app can do its work now, kept for a while so that asking costs nothing."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from azure.core.exceptions import AzureError

from shared.errors import SwitchboardError

_KEPT: Final = 10.0
_PATIENCE: Final = 5.0

Check = Callable[[], Awaitable[None]]
Facts = Callable[[], dict[str, Any]]
"""returns what the last checks saw that is no problem by itself, as JSON"""


class Health:
    """Runs every check at most once in 10 seconds, whoever asks and however often."""

    def __init__(self, checks: Mapping[str, Check], *, facts: Facts = dict) -> None:
        self._checks = checks
        self._facts = facts
        self._lock = asyncio.Lock()
        self._known: dict[str, str] = {}
        self._until = 0.0

    async def problems(self) -> dict[str, str]:
        """Return what is wrong, by the name of its check; nothing where all is well."""
        async with self._lock:
            if time.monotonic() >= self._until:
                results = await asyncio.gather(*(_try(check) for check in self._checks.values()))
                self._known = {name: text for name, text in zip(self._checks, results, strict=True) if text}
                self._until = time.monotonic() + _KEPT
            return dict(self._known)

    async def details(self) -> dict[str, Any]:
        """Return the problems, and the facts that the same checks saw."""
        return {"problems": await self.problems(), **self._facts()}


async def _try(check: Check) -> str | None:
    try:
        async with asyncio.timeout(_PATIENCE):
            await check()
    except TimeoutError:
        return f"no answer within {_PATIENCE:g} s"
    except SwitchboardError as exc:
        return str(exc)
    except AzureError as exc:
        # the SDK's message may hold URLs and headers: its kind says enough
        return type(exc).__name__
    return None
