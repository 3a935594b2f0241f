"""Microsoft's own runtime library loads the app, binds it as Azure would, and calls it."""

import base64
import json
import subprocess
import sys
from typing import Any

import pytest

from tests.samples import webhooks
from tests.test_function_app import CRON, HTTP_TRIGGERS, other_triggers
from tests.web.app import environment, lay_out, settings_of

pytestmark = pytest.mark.skipif(sys.version_info < (3, 13), reason="azure-functions-runtime needs Python 3.13")

MESSAGE_ID = "11111111-2222-3333-4444-555555555555"
NO_TEXT = b"\xff\xfe\x00no text"
# What the host tells of a queue message beside its content; it tells all of it as text.
METADATA = {"Id": MESSAGE_ID, "DequeueCount": "3", "PopReceipt": "AgAAAA=="}


def _get(delivery_id: str) -> dict[str, Any]:
    url = f"https://app.example/api/deliveries/{delivery_id}"
    return {"function": "delivery", "http": {"method": "GET", "url": url, "params": {"id": delivery_id}}}


def _invocations(sid: str) -> list[dict[str, Any]]:
    target = "/api/sms/inbound"
    body = webhooks.body("sms-inbound", sid=sid)
    text = {
        "method": "POST",
        "url": f"https://app.example{target}",
        "headers": {name.lower(): value for name, value in webhooks.headers(target, body).items()},
        "body": base64.b64encode(body).decode(),
    }
    return [
        {
            "function": "outbound",
            "queue": {"bytes": base64.b64encode(NO_TEXT).decode()},
            "metadata": METADATA,
        },
        _get(MESSAGE_ID),
        {"function": "sms_inbound", "http": text},
        _get(sid),
        {
            "function": "send",
            "http": {"method": "POST", "url": "https://app.example/api/send", "headers": {"content-length": "0"}},
        },
    ]


@pytest.fixture(scope="module")
def sid() -> str:
    return webhooks.new_sid("MM")


@pytest.fixture(scope="module")
def report(azurite: str, sid: str, tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401 - a JSON document
    """What the worker found and answered, in a process of its own: it keeps its state in globals."""
    folder = tmp_path_factory.mktemp("app")
    path = lay_out(folder)
    done = subprocess.run(  # noqa: S603 - this very Python
        [sys.executable, "-P", "-m", "tests.runtime_worker", str(folder)],
        cwd=folder,
        env=environment(
            settings_of(
                azurite, OUTBOUND_QUEUE="requests", SCHEDULE_CRON=CRON, HOUSEKEEPING_CRON=CRON, SMS_REPLY="Hello"
            )
        )
        | path,
        input=json.dumps(_invocations(sid)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_finds_exactly_the_triggers_and_their_bindings(report: Any) -> None:  # noqa: ANN401 - a JSON document
    expected: dict[str, Any] = {
        name: [
            {
                "direction": "IN",
                "type": "httpTrigger",
                "name": "req",
                "methods": methods.split(),
                "authLevel": level.upper(),
                "route": route,
            },
            {"direction": "OUT", "type": "http", "name": "$return"},
        ]
        for name, (route, methods, level) in HTTP_TRIGGERS.items()
    }
    expected |= other_triggers(queue="requests", cron=CRON)
    assert report["indexed"] == expected


def test_a_queue_message_that_is_no_text_reaches_the_app_as_bytes(report: Any) -> None:  # noqa: ANN401 - a JSON document
    taken, shown = report["answers"][:2]
    assert taken is None
    delivery = json.loads(base64.b64decode(shown["body"]))
    assert (shown["status"], delivery["id"], delivery["status"]) == (200, MESSAGE_ID, "rejected")
    assert delivery["request"].encode("utf-8") == NO_TEXT.decode(errors="replace").encode()


def test_a_webhook_gets_its_twiml(report: Any, sid: str) -> None:  # noqa: ANN401 - a JSON document
    answer, shown = report["answers"][2:4]
    assert answer["status"] == 200
    assert answer["headers"]["content-type"].startswith("text/xml")
    assert b">Hello</Message>" in base64.b64decode(answer["body"])
    assert json.loads(base64.b64decode(shown["body"]))["id"] == sid


def test_an_error_is_a_problem_document(report: Any) -> None:  # noqa: ANN401 - a JSON document
    answer = report["answers"][4]
    assert answer["status"] == 422
    assert answer["headers"]["content-type"] == "application/problem+json"
