"""The settings that a flow's file depends on. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Environment:
    """The default time zone of opening hours, and the names that texts may use as `setting.NAME`; None allows any."""

    default_zone: ZoneInfo
    settings: Collection[str] | None = None
