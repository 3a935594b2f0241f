"""host.json: the part of it that this host obeys, and the settings that override it.

https://learn.microsoft.com/azure/azure-functions/functions-host-json
"""

import math
import os
import re
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from local.host.errors import HostError

_VERSION = "2.0"
_OVERRIDE = "azurefunctionsjobhost__"
_SPAN = re.compile(r"(?:(?P<days>\d+)\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{1,2})(?::(?P<seconds>\d{1,2}(?:\.\d+)?))?")
_SHORTEST_POLLING = 0.1


class Seconds(float):
    """A length of time, written in host.json as .NET writes it: `[d.]hh:mm[:ss]`, or -1 for no limit."""


class HttpOptions(msgspec.Struct, frozen=True, rename="camel"):
    """extensions.http."""

    route_prefix: str = "api"


class QueueOptions(msgspec.Struct, frozen=True, rename="camel"):
    """extensions.queues; the defaults are Azure's."""

    batch_size: Annotated[int, msgspec.Meta(ge=1, le=32)] = 16
    new_batch_threshold: Annotated[int, msgspec.Meta(ge=0)] | None = None
    max_dequeue_count: Annotated[int, msgspec.Meta(ge=1)] = 5
    max_polling_interval: Seconds = Seconds(60)
    visibility_timeout: Seconds = Seconds(0)
    message_encoding: Literal["base64", "Base64", "none", "None"] = "base64"

    def __post_init__(self) -> None:
        if not _SHORTEST_POLLING <= self.max_polling_interval < math.inf:
            raise ValueError("maxPollingInterval must be at least 00:00:00.1")

    @property
    def threshold(self) -> int:
        """How many functions may still be running when the next batch is fetched."""
        if self.new_batch_threshold is not None:
            return self.new_batch_threshold
        return self.batch_size // 2 * (os.cpu_count() or 1)

    @property
    def base64(self) -> bool:
        """Whether messages are encoded."""
        return self.message_encoding.lower() == "base64"


class Extensions(msgspec.Struct, frozen=True):
    """The settings of each kind of trigger."""

    http: HttpOptions = HttpOptions()
    queues: QueueOptions = QueueOptions()


class HostJson(msgspec.Struct, frozen=True, rename="camel"):
    """A whole host.json; what this host does not obey is ignored."""

    function_timeout: Seconds = Seconds(1800)
    extensions: Extensions = Extensions()

    @classmethod
    def parse(cls, document: Mapping[str, object], *, settings: Mapping[str, str] | None = None) -> "HostJson":
        """Check a host.json and the settings that override it; raises HostError with the place and what it expects.

        Names count in any case and numbers may be strings, as in .NET's configuration.
        """
        _check_version(document)
        known = _spelled(document)
        overrides = _overrides(settings or {})
        for place, value in overrides:
            _put(known, place, value)
        try:
            return msgspec.convert(known, cls, strict=False, dec_hook=_decode)
        except msgspec.ValidationError as exc:
            where = "host.json with its AzureFunctionsJobHost__ settings" if overrides else "host.json"
            raise HostError(f"{where}: {exc}") from exc


_NAMES = {
    field.encode_name.lower(): field.encode_name
    for struct in (HostJson, Extensions, HttpOptions, QueueOptions)
    for field in msgspec.structs.fields(struct)
}
"""the names that this host knows, by their spelling in lower case"""


def _check_version(document: Mapping[str, object]) -> None:
    """Refuse what Azure's host refuses; an empty host.json is one with the version to it.

    HostJsonFileConfigurationSource of https://github.com/Azure/azure-functions-host
    """
    if document and document.get("version") != _VERSION:
        got = repr(document["version"]) if "version" in document else "none"
        raise HostError(f'host.json: expected "version": "{_VERSION}", got {got}')


def _spelled(value: Mapping[str, object]) -> dict[str, object]:
    """Copy an object, with the names that this host knows in its own spelling."""
    return {
        _NAMES.get(name.lower(), name): _spelled(member) if isinstance(member, dict) else member
        for name, member in value.items()
    }


def _overrides(settings: Mapping[str, str]) -> list[tuple[list[str], str]]:
    """Return the place in host.json and the value of each setting that overrides it; an empty one counts as not set.

    https://learn.microsoft.com/azure/azure-functions/functions-host-json#override-hostjson-values
    """
    found = []
    for name, value in settings.items():
        spelled = name.replace(":", "__")
        if value and spelled.lower().startswith(_OVERRIDE):
            place = spelled[len(_OVERRIDE) :].split("__")
            found.append(([_NAMES.get(part.lower(), part) for part in place], value))
    return found


def _put(document: dict[str, object], place: list[str], value: str) -> None:
    *parents, name = place
    for parent in parents:
        member = document.get(parent)
        if not isinstance(member, dict):
            member = document[parent] = {}
        document = member
    document[name] = value


def _decode(kind: type, value: object) -> object:
    if kind is not Seconds:
        raise NotImplementedError
    if value == "-1":
        return Seconds(math.inf)
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"Expected a time span as hh:mm:ss, got {value!r}")
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return Seconds(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
