"""What Azure takes as one row of a table, and how a text is cut to fit. Pure.

Azurite takes larger rows. So every row is checked here before it leaves, on a laptop and in the tests as well.
https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

LARGEST_PROPERTY: Final = 64 * 1024
"""bytes of a value; a text counts two bytes for each UTF-16 unit"""
LARGEST_ROW: Final = 1024 * 1024
"""bytes of a row, the names of its properties among them"""
MOST_PROPERTIES: Final = 255 - 1
"""properties of a row, its keys among them; Azure adds `Timestamp`"""
LONGEST_NAME: Final = 255
LARGEST_KEY: Final = 1024
EARLIEST: Final = datetime(1601, 1, 1, tzinfo=UTC)
CUT: Final = "… (cut)"
_KEYS: Final = ("PartitionKey", "RowKey")
_NOT_IN_KEYS: Final = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")
_HEAD: Final = 100
_PER_ROW: Final = 4
_PER_PROPERTY: Final = 8
_PER_LENGTH: Final = 4
_NUMBER: Final = 8


def units(text: str) -> int:
    """Return the length of a text in UTF-16 units, as Azure and Twilio count it."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, most: int) -> str:
    """Return a text of at most `most` UTF-16 units: itself, or its beginning and the mark `… (cut)`."""
    if units(text) <= most:
        return text
    kept = text.encode("utf-16-le", "surrogatepass")[: 2 * (most - units(CUT))]
    return kept.decode("utf-16-le", "ignore") + CUT


def as_key(text: str) -> str:
    """Return the key that stands for a text: itself, or its beginning and its hash where Azure refuses it as a key."""
    if 2 * units(text) <= LARGEST_KEY and not _NOT_IN_KEYS.search(text):
        return text
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    return f"{_NOT_IN_KEYS.sub('_', text[:_HEAD])}~{digest}"


def check(row: Mapping[str, Any]) -> None:
    """Refuse a row that Azure would refuse.

    Raises:
        ValueError: it is too large, or a key of it has a character that no key may have. The message shows no value.
    """
    present = {name: value for name, value in row.items() if value is not None}
    if len(present) > MOST_PROPERTIES:
        raise ValueError(f"expected at most {MOST_PROPERTIES} properties, got {len(present)}")
    size = _PER_ROW
    for name, value in present.items():
        of_value = _size(value)
        _check_property(name, value, of_value)
        size += _PER_PROPERTY + 2 * units(name) + of_value
    if size > LARGEST_ROW:
        raise ValueError(f"expected a row of at most {LARGEST_ROW} bytes, got {size}")


def _check_property(name: str, value: object, size: int) -> None:
    if len(name) > LONGEST_NAME:
        raise ValueError(f"expected a property name of at most {LONGEST_NAME} characters, got {len(name)}")
    most = LARGEST_KEY if name in _KEYS else LARGEST_PROPERTY
    if size - _PER_LENGTH > most:
        raise ValueError(f"{name}: expected at most {most} bytes, got {size - _PER_LENGTH}")
    if name in _KEYS and _NOT_IN_KEYS.search(str(value)):
        raise ValueError(f"{name}: expected a key without / \\ # ? and control characters, got one with them")
    if isinstance(value, datetime) and value < EARLIEST:
        raise ValueError(f"{name}: expected a moment from {EARLIEST:%Y} on, got one before")


def _size(value: object) -> int:
    """Return the bytes of a value: https://learn.microsoft.com/archive/blogs/avkashchauhan/how-the-size-of-an-entity-is-caclulated-in-windows-azure-table-storage."""
    if isinstance(value, str):
        return _PER_LENGTH + 2 * units(value)
    if isinstance(value, bytes):
        return _PER_LENGTH + len(value)
    return _NUMBER
