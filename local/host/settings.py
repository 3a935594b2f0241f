"""The app's settings: the environment, and local.settings.json where a name is missing there.

https://learn.microsoft.com/azure/azure-functions/functions-develop-local#local-settings-file
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.host.errors import HostError

_EXPRESSION = re.compile("%([^%]+)%")


def read_local_settings(app: Path) -> dict[str, str]:
    """Return the Values of the app's local.settings.json, none where there is no such file.

    Raises HostError where the file cannot be used; no value is ever part of the message.
    """
    document = read_json(app / "local.settings.json")
    if document is None:
        return {}
    if document.get("IsEncrypted"):
        raise HostError(
            "local.settings.json: IsEncrypted must be false, since only Core Tools can decrypt it "
            "(`func settings decrypt`)"
        )
    values = document.get("Values", {})
    if not isinstance(values, dict):
        raise HostError(f"local.settings.json: Values must be an object, not {_kind(values)}")
    for name, value in values.items():
        if not isinstance(value, str):
            raise HostError(f"local.settings.json: the value of {name} must be a string, not {_kind(value)}")
    return values


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file, None where there is no file; raises HostError for anything else."""
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as exc:
        raise HostError(f"{path.name} cannot be read: {exc}") from exc
    except json.JSONDecodeError as exc:
        raise HostError(f"{path.name} is not valid JSON: {exc.msg} in line {exc.lineno}") from exc
    if not isinstance(document, dict):
        raise HostError(f"{path.name} must hold an object, not {_kind(document)}")
    return document


def resolve(text: str, *, settings: Mapping[str, str], where: str) -> str:
    """Put the settings in place of each `%NAME%`; raises HostError for one that is not set, naming `where`."""

    def value_of(found: re.Match[str]) -> str:
        value = settings.get(found[1])
        if not value:
            raise HostError(f"{where} needs the setting {found[1]}, which is not set")
        return value

    return _EXPRESSION.sub(value_of, text)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
