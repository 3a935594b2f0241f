"""The prefix of every route. Azure's host takes another one from host.json; this app's URLs have `api`, and only that.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook#hostjson-settings
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from shared.errors import Fault, SettingsInvalid

_NEEDED: Final = "api"
_HOST_JSON: Final = "host.json"
_PLACE: Final = ("extensions", "http", "routeprefix")
_SETTING: Final = "__".join(("azurefunctionsjobhost", *_PLACE))
_COMMENT: Final = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)


def check(folder: Path, env: Mapping[str, str]) -> None:
    """Make sure that Azure's host serves this app where its callback URLs and its TwiML say.

    A setting goes before host.json, and names count in any case:
    https://learn.microsoft.com/azure/azure-functions/functions-host-json#override-hostjson-values

    Raises:
        SettingsInvalid: the prefix is another one, or host.json can't be read.
    """
    names = [name for name in env if name.replace(":", "__").lower() == _SETTING]
    where, prefix = (names[0], env[names[0]]) if names else (_HOST_JSON, _of_host_json(folder / _HOST_JSON))
    if not isinstance(prefix, str) or prefix.lower() != _NEEDED:
        problem = f"expected the routePrefix {_NEEDED}, which the app's URLs have, got {str(prefix)[:20]!r}"
        raise SettingsInvalid("the app can't be served", [Fault(where, problem)])


def _of_host_json(path: Path) -> Any:  # noqa: ANN401 - whatever stands there
    # Azure's host takes comments.
    try:
        found = json.loads(_COMMENT.sub(lambda comment: comment[1] or "", path.read_text(encoding="utf-8-sig")))
    except FileNotFoundError:
        return _NEEDED
    except ValueError as exc:
        raise SettingsInvalid("the app can't be served", [Fault(_HOST_JSON, "expected JSON")]) from exc
    for name in _PLACE:
        members = {key.lower(): value for key, value in found.items()} if isinstance(found, dict) else {}
        if name not in members:
            return _NEEDED
        found = members[name]
    return found
