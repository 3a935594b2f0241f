"""Types of the options of the command line: each reads a text, or says what it expected. Standard library only."""

import argparse
from datetime import UTC, datetime, timedelta


def count(text: str) -> int:
    """Read a number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, got {text!r}")
    return int(text)


def port(text: str) -> int:
    """Read a port."""
    if not text.isdecimal() or not 1 <= int(text) <= 65533:  # noqa: PLR2004 - the storage takes two more
        raise argparse.ArgumentTypeError(f"expected a port from 1 to 65533, got {text!r}")
    return int(text)


def url(text: str) -> str:
    """Read a URL of the functions."""
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"expected an http:// or https:// URL, got {text!r}")
    return text


def moment(text: str) -> str:
    """Read a time, in UTC where it names no offset."""
    return _read_moment(text).isoformat()


def end(text: str) -> str:
    """Read a time, or a day up to its last microsecond."""
    read = _read_moment(text)
    is_day = len(text) <= len("2026-01-31")
    return (read + timedelta(days=1, microseconds=-1) if is_day else read).isoformat()


def _read_moment(text: str) -> datetime:
    try:
        read = datetime.fromisoformat(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(f"expected a time such as 2026-01-31T09:30, got {text!r}") from fault
    return read if read.tzinfo else read.replace(tzinfo=UTC)
