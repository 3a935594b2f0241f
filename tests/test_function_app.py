"""The index: which triggers there are, with their bindings; what it takes to load; and what may import what."""

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.app import HOST_JSON, ROOT, environment, lay_out, settings_of

CRON = "30 */7 * * * *"
SETTINGS = settings_of(
    "UseDevelopmentStorage=true", OUTBOUND_QUEUE="requests", SCHEDULE_CRON=CRON, HOUSEKEEPING_CRON=CRON
)
REPORT = """
import json, sys
import function_app
functions = [(f.get_function_name(), f.get_bindings_dict()["bindings"]) for f in function_app.app.get_functions()]
print(json.dumps({"functions": functions, "modules": sorted(sys.modules)}, default=str))
"""

HTTP_TRIGGERS = {
    "sms_status": ("sms/status", "POST", "anonymous"),
    "voice_status": ("voice/status", "POST", "anonymous"),
    "sms_inbound": ("sms/inbound", "POST", "anonymous"),
    "voice_inbound": ("voice/inbound", "POST", "anonymous"),
    "voice_flow": ("voice/flow/{flow}/{step}", "POST", "anonymous"),
    "voice_client": ("voice/client", "POST", "anonymous"),
    "voice_token": ("voice/token", "GET", "function"),
    "voice_recording": ("voice/recording", "POST", "anonymous"),
    "voice_transcription": ("voice/transcription", "POST", "anonymous"),
    "twimlet": ("twimlets/{name}", "GET POST", "anonymous"),
    "fallback_sms": ("fallback/sms", "POST", "anonymous"),
    "fallback_voice": ("fallback/voice", "POST", "anonymous"),
    "send": ("send", "POST", "function"),
    "delivery": ("deliveries/{id}", "GET", "function"),
    "search_deliveries": ("deliveries/search", "POST", "function"),
    "erase_delivery": ("deliveries/{id}", "DELETE", "function"),
    "cancel_delivery": ("deliveries/{id}/cancel", "POST", "function"),
    "replay_delivery": ("deliveries/{id}/replay", "POST", "function"),
    "replay_deliveries": ("deliveries/replay", "POST", "function"),
    "create_schedule": ("schedules", "POST", "function"),
    "list_schedules": ("schedules", "GET", "function"),
    "show_schedule": ("schedules/{id}", "GET", "function"),
    "cancel_schedule": ("schedules/{id}", "DELETE", "function"),
    "cancel_schedule_and_deliveries": ("schedules/{id}/cancel", "POST", "function"),
    "pause_schedule": ("schedules/{id}/pause", "POST", "function"),
    "resume_schedule": ("schedules/{id}/resume", "POST", "function"),
    "record_consent": ("consents", "POST", "function"),
    "search_consents": ("consents/search", "POST", "function"),
    "erase_person": ("erasures", "POST", "function"),
    "show_erasure": ("erasures/{id}", "GET", "function"),
    "health": ("health", "GET HEAD", "anonymous"),
    "health_details": ("health/details", "GET HEAD", "function"),
}


def other_triggers(*, queue: str, cron: str) -> dict[str, list[dict[str, Any]]]:
    """The bindings of the queue trigger and of the timers."""
    return {
        "outbound": [
            {
                "direction": "IN",
                "dataType": "BINARY",
                "type": "queueTrigger",
                "name": "message",
                "queueName": queue,
                "connection": "AzureWebJobsStorage",
            }
        ],
        **{name: [_timer(cron)] for name in ("scheduled", "housekeeping")},
    }


def _timer(cron: str) -> dict[str, Any]:
    return {
        "direction": "IN",
        "type": "timerTrigger",
        "name": "timer",
        "schedule": cron,
        "runOnStartup": False,
        "useMonitor": True,
    }


# From the top to the bottom: whoever stands higher may import whoever stands lower, never the other way around.
ROOMS = (
    {"function_app"},
    {"shared.content", "shared.route_prefix", "shared.startup"},
    {"shared.web"},
    {"shared.wiring"},
    {"shared.erasures"},
    {"shared.housekeeping", "shared.scheduling"},
    {"shared.twilio_api", "shared.health"},
    {"shared.calls", "shared.twilio_answers"},
    {"shared.inbound", "shared.outbound"},
    {"shared.consents"},
    {"shared.deliveries", "shared.voice", "shared.agenda"},
    {"shared.credentials"},
    {"shared.settings", "shared.tables", "shared.queues", "shared.logs"},
    {"shared.table_service"},
    {"shared.connections"},
    {"shared.settings_storage", "shared.sockets"},
    {"shared.calendar", "shared.settings_reader"},
    {"shared.text", "shared.toml"},
    {"shared.by"},
    {"shared.documents", "shared.seal"},
    {"shared.errors"},
)
HEIGHT = {room: -height for height, rooms in enumerate(ROOMS) for room in rooms}
# What would make a pure module wait for something, or see something of the world.
IMPURE = {"azure", "aiohttp", "asyncio", "os", "pathlib", "socket", "subprocess", "threading", "urllib.request"}


def _python(code: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter of its own, which sees no settings but these."""
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}"]
    return subprocess.run(  # noqa: S603 - this interpreter, and code that stands here
        command, env=environment(settings), capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401 - a JSON document
    """What an interpreter of its own says of the app: an app tells its functions once."""
    folder = tmp_path_factory.mktemp("app")
    lay_out(folder)
    done = _python(f"sys.path.insert(0, {str(folder)!r})\n{REPORT}", SETTINGS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_triggers_and_their_bindings_are_exactly_these(report: Any) -> None:  # noqa: ANN401 - a JSON document
    expected: dict[str, Any] = {
        name: [
            {
                "direction": "IN",
                "type": "httpTrigger",
                "name": "req",
                "methods": methods.split(),
                "authLevel": level,
                "route": route,
            },
            {"direction": "OUT", "type": "http", "name": "$return"},
        ]
        for name, (route, methods, level) in HTTP_TRIGGERS.items()
    }
    expected |= other_triggers(queue="requests", cron=CRON)
    found = {name: [_plain(binding) for binding in bindings] for name, bindings in report["functions"]}
    assert found == expected
    assert len(found) == len(report["functions"])


def _plain(binding: dict[str, Any]) -> dict[str, Any]:
    """Read a binding as host and app would agree on it; the library's versions differ in how they spell one."""
    names = {"direction": ("IN", "OUT", "INOUT"), "dataType": ("UNDEFINED", "STRING", "BINARY", "STREAM")}
    plain: dict[str, Any] = {}
    for name, value in binding.items():
        if name in names and isinstance(value, int):
            plain[name] = names[name][value]
        elif name == "methods":
            plain[name] = [str(method).rpartition(".")[2] for method in value]
        elif name == "authLevel":
            plain[name] = str(value).rpartition(".")[2].lower()
        else:
            plain[name] = value.rpartition(".")[2] if name in names else value
    return plain


def test_loading_the_app_costs_no_client_that_it_may_not_need(report: Any) -> None:  # noqa: ANN401 - a JSON document
    modules = set(report["modules"])
    assert {"azure.functions", "shared.web.twilio"} <= modules
    assert not modules & {"twilio.rest", "azure.identity", "azure.identity.aio", "jwt", "pytest"}
    assert not [name for name in modules if name.partition(".")[0] == "local"]


@pytest.fixture
def app_folder(tmp_path: Path) -> Path:
    """An app of its own, without content."""
    shutil.copy(ROOT / "function_app.py", tmp_path)
    return tmp_path


def _load(folder: Path, settings: dict[str, str], code: str = "") -> subprocess.CompletedProcess[str]:
    """Load the app of a folder; whatever is logged goes to stdout, as a level and a message."""
    logged = "import logging; logging.basicConfig(stream=sys.stdout, format='%(levelname)s %(message)s')"
    path = f"sys.path.insert(0, {str(folder)!r})"
    return _python(f"{logged}\n{path}\nimport function_app\n{code}", settings)


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """What the app said of why it could not be loaded: the same, once, in its log and on stderr."""
    assert done.returncode != 0
    [logged] = done.stdout.splitlines()
    [line] = [line for line in done.stderr.splitlines() if line.startswith("the app can't be loaded: ")]
    assert logged == f"CRITICAL {line}"
    return line.removeprefix("the app can't be loaded: ")


def _break_replies(folder: Path) -> None:
    (folder / "replies.toml").write_text('[rules.a]\nforward = "requests-poison"\n', "utf-8")


def _break_templates(folder: Path) -> None:
    (folder / "templates").mkdir()
    (folder / "templates" / "a.txt").write_text("{{ unclosed", "utf-8")


def _break_flows(folder: Path) -> None:
    (folder / "flows").mkdir()
    (folder / "flows" / "a.toml").write_text("[steps.a]\nsaay = 'Hello'\n", "utf-8")


def _break_host_json(folder: Path) -> None:
    (folder / "host.json").write_text('{"extensions": {"http": {"routePrefix": "v1"}}}', "utf-8")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_break_replies, "replies.toml:2: forward expected another queue"),
        (_break_templates, "the templates can't be used: a.txt:"),
        (_break_flows, "the call flows can't be used: a.toml:"),
        (_break_host_json, "host.json: expected the routePrefix api"),
    ],
)
def test_what_keeps_the_app_from_being_loaded_is_told(
    app_folder: Path, spoil: Callable[[Path], None], said: str
) -> None:
    """On Azure, an app that can't be loaded has no functions, and nothing else says why."""
    spoil(app_folder)
    assert said in _said(_load(app_folder, SETTINGS))


def test_a_file_that_is_no_file_is_told(app_folder: Path) -> None:
    (app_folder / "replies.toml").mkdir()
    assert "replies.toml" in _said(_load(app_folder, SETTINGS))


def test_a_setting_that_moves_the_routes_is_told(app_folder: Path) -> None:
    name = "AzureFunctionsJobHost__extensions__http__routePrefix"
    assert f"{name}: expected the routePrefix api" in _said(_load(app_folder, {**SETTINGS, name: "v1"}))


def test_missing_settings_stop_the_app_with_one_message_that_names_them_all() -> None:
    done = _load(ROOT, {"TWILIO_FROM_NUMBER": "12", "RETENTION_DAYS": "many", "TWILIO_API_KEY_SECRET": "hidden"})
    said = _said(done)
    message = done.stderr.strip().splitlines()[-1]
    assert message == f"shared.errors.SettingsInvalid: {said}"
    for name in (
        "AzureWebJobsStorage",
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
        "TWILIO_FROM_NUMBER",
        "PUBLIC_BASE_URL",
        "RETENTION_DAYS",
    ):
        assert f"{name}: " in said
    assert "hidden" not in said


def test_content_that_was_not_deployed_is_known(app_folder: Path) -> None:
    """It may be meant, or forgotten: the app is loaded, and health's details say it."""
    (app_folder / "replies.toml").write_text('[rules.a]\nwords = ["hours"]\nreply = "9 to 5."\n', "utf-8")
    (app_folder / "flows").mkdir()
    done = _load(app_folder, SETTINGS, "import json; print(json.dumps(function_app.wiring.content))")
    assert json.loads(done.stdout) == {"templates": None, "flows": 0, "replies.toml": 1}


def test_host_json_is_what_the_readme_explains() -> None:
    assert HOST_JSON == {
        "version": "2.0",
        "functionTimeout": "00:05:00",
        "extensions": {
            "http": {"routePrefix": "api"},
            "queues": {
                "batchSize": 32,
                "newBatchThreshold": 32,
                "maxDequeueCount": 5,
                "maxPollingInterval": "00:00:02",
                "visibilityTimeout": "00:00:30",
                "messageEncoding": "base64",
            },
        },
        "logging": {
            "logLevel": {"Function": "Information"},
            "applicationInsights": {
                "samplingSettings": {"isEnabled": True, "excludedTypes": "Request;Exception;Trace"}
            },
        },
        "extensionBundle": {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.*, 5.0.0)"},
    }
    page = (ROOT / "docs" / "how-to" / "azure.md").read_text(encoding="utf-8")
    for name in ("functionTimeout", "logLevel", "excludedTypes", *HOST_JSON["extensions"]["queues"]):
        assert f"`{name}`" in page


def _modules() -> Iterator[tuple[str, Path]]:
    yield "function_app", ROOT / "function_app.py"
    for path in sorted((ROOT / "shared").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


MODULES = dict(_modules())


def _imports(module: str) -> set[str]:
    """Every module that one imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module or "" for name in whole}
    return found


def _room(module: str) -> str:
    return ".".join(module.split(".")[:2])


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downwards_only(module: str) -> None:
    if module == "shared":
        assert not _imports(module)
        return
    for imported in _imports(module):
        if imported.partition(".")[0] in {"shared", "function_app"} and _room(imported) != _room(module):
            assert HEIGHT[_room(imported)] < HEIGHT[_room(module)], f"{module} imports {imported}"


@pytest.mark.parametrize("module", MODULES)
def test_the_app_needs_nothing_of_the_laptops_tools(module: str) -> None:
    assert not [name for name in _imports(module) if name.partition(".")[0] in {"local", "tests"}]


@pytest.mark.parametrize(
    ("library", "importers"),
    [
        (
            "azure.functions",
            {
                "function_app",
                "shared.web.answers",
                "shared.web.body",
                "shared.web.consents",
                "shared.web.erasures",
                "shared.web.people",
                "shared.web.replays",
                "shared.web.schedules",
                "shared.web.tokens",
                "shared.web.twilio",
                "shared.web.twimlets",
                "shared.web.voice",
            },
        ),
        ("twilio.rest", {"shared.twilio_api"}),
        ("twilio.http", {"shared.twilio_api"}),
        (
            "aiohttp",
            {
                "shared.connections",
                "shared.table_service.faults",
                "shared.table_service.lists",
                "shared.table_service.service",
                "shared.twilio_api",
                "shared.wiring",
            },
        ),
        ("azure.identity", {"shared.credentials"}),
    ],
)
def test_a_library_is_known_in_its_place_only(library: str, importers: set[str]) -> None:
    def knows(module: str) -> bool:
        return any(name == library or name.startswith(f"{library}.") for name in _imports(module))

    assert {module for module in MODULES if knows(module)} == importers


def _is_pure(module: str) -> bool:
    docstring = ast.get_docstring(ast.parse(MODULES[module].read_text(encoding="utf-8"))) or ""
    return "pure" in re.findall(r"\w+", docstring.lower())


@pytest.mark.parametrize("module", [module for module in MODULES if _is_pure(module)])
def test_a_module_that_calls_itself_pure_does_no_io(module: str) -> None:
    names = _imports(module)
    assert not {name for name in names if name in IMPURE or name.partition(".")[0] in IMPURE}
