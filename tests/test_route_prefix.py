"""The prefix of every route, in host.json and in the setting that goes before it."""

import json
from pathlib import Path

import pytest

from shared import route_prefix
from shared.errors import SettingsInvalid
from tests.web.app import ROOT

SETTING = "AzureFunctionsJobHost__extensions__http__routePrefix"


def host_json(folder: Path, text: str) -> Path:
    """A folder with this host.json."""
    (folder / "host.json").write_text(text, "utf-8")
    return folder


def with_prefix(prefix: object) -> str:
    """A host.json with this prefix."""
    return json.dumps({"version": "2.0", "extensions": {"http": {"routePrefix": prefix}}})


@pytest.mark.parametrize(
    "text",
    [
        with_prefix("api"),
        with_prefix("API"),
        '{"version": "2.0"}',
        '{"version": "2.0", "extensions": {"queues": {}}}',
        '{"version": "2.0", "extensions": null}',
        '\ufeff{"version": "2.0"}',
        '{"a": "// no comment", /* "routePrefix": */ "extensions": {"http": {\n// "routePrefix": "v1"\n}}}',
    ],
)
def test_the_prefix_that_the_urls_have_is_taken(tmp_path: Path, text: str) -> None:
    route_prefix.check(host_json(tmp_path, text), {})


def test_without_a_host_json_the_prefix_is_azures_own(tmp_path: Path) -> None:
    route_prefix.check(tmp_path, {})


def test_the_shipped_host_json_is_taken() -> None:
    route_prefix.check(ROOT, {})


@pytest.mark.parametrize("prefix", ["", "v1", "api/v1", "/api", None, 1])
def test_another_prefix_stops_the_app(tmp_path: Path, prefix: object) -> None:
    """Every callback and every step of a call would be answered 404."""
    with pytest.raises(SettingsInvalid, match=r"host\.json: expected the routePrefix api"):
        route_prefix.check(host_json(tmp_path, with_prefix(prefix)), {})


def test_names_in_host_json_count_in_any_case(tmp_path: Path) -> None:
    folder = host_json(tmp_path, '{"Extensions": {"HTTP": {"routeprefix": "v1"}}}')
    with pytest.raises(SettingsInvalid, match="got 'v1'"):
        route_prefix.check(folder, {})


@pytest.mark.parametrize("name", [SETTING, SETTING.lower(), SETTING.replace("__", ":")])
@pytest.mark.parametrize("prefix", ["", "v1"])
def test_a_setting_with_another_prefix_stops_the_app_and_is_named(tmp_path: Path, name: str, prefix: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        route_prefix.check(host_json(tmp_path, with_prefix("api")), {name: prefix})
    assert [fault.field for fault in caught.value.faults] == [name]


def test_a_setting_goes_before_host_json(tmp_path: Path) -> None:
    route_prefix.check(host_json(tmp_path, with_prefix("v1")), {SETTING: "api"})


@pytest.mark.parametrize("text", ["", "{", '{"version": "2.0",}'])
def test_a_host_json_that_cannot_be_read_stops_the_app(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"host\.json: expected JSON"):
        route_prefix.check(host_json(tmp_path, text), {})
