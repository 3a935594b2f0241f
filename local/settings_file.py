"""local.settings.json, the settings of a development machine, as Core Tools has them.

https://learn.microsoft.com/azure/azure-functions/functions-develop-local#local-settings-file
"""

import json
import shutil
from pathlib import Path

from local.errors import LocalError

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = ROOT / "local.settings.json"
EXAMPLE = ROOT / "local.settings.json.example"


class SettingsFileError(LocalError):
    """The file cannot be used; the message names it and, where it is no JSON, line and column."""


def ensure(path: Path = SETTINGS, *, example: Path = EXAMPLE) -> bool:
    """Copy the example where there is no settings file yet; returns whether it did."""
    if path.exists():
        return False
    shutil.copyfile(example, path)
    return True


def read(path: Path = SETTINGS) -> dict[str, str]:
    """The `Values` of a settings file; raises SettingsFileError, without showing a value."""
    content = _parse(path)
    if not isinstance(content, dict) or not isinstance(content.get("Values"), dict):
        raise SettingsFileError(f'{path.name} is broken: expected an object with an object "Values" in it')
    if content.get("IsEncrypted"):
        raise SettingsFileError(f'{path.name} is encrypted: run `func settings decrypt`, or set "IsEncrypted" to false')
    for name, value in content["Values"].items():
        if not isinstance(value, str):
            raise SettingsFileError(f'{path.name} is broken: the value of "{name}" must be a string, in quotes')
    return dict(content["Values"])


def _parse(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as fault:
        where = f"line {fault.lineno}, column {fault.colno}"
        raise SettingsFileError(f"{path.name} is broken: {where}: {fault.msg}") from fault
    except UnicodeDecodeError as fault:
        raise SettingsFileError(f"{path.name} is broken: it is not UTF-8 text") from fault
    except OSError as fault:
        raise SettingsFileError(f"{path.name} cannot be read: {fault.strerror}") from fault
