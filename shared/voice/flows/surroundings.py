"""What the files of flows go by that does not stand in them. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The zone of opening hours that name none, and the settings that texts may use; None is any."""

    default_zone: ZoneInfo
    settings: Collection[str] | None = None
