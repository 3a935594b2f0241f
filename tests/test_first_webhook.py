"""What a process that only answers webhooks never imports: it would wait for it at its first one."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.samples import webhooks
from tests.test_function_app import HTTP_TRIGGERS
from tests.web.app import NUMBER, environment, lay_out, settings_of

ANSWER_ALL = """
import asyncio, json, sys
import azure.functions as func
import function_app
functions = {f.get_function_name(): f.get_user_function() for f in function_app.app.get_functions()}
async def answer_all():
    answers = {}
    for name, asked in json.load(sys.stdin).items():
        response = await functions[name](func.HttpRequest(method="POST", **{**asked, "body": asked["body"].encode()}))
        answers[name] = response.status_code
    await function_app.wiring.close()
    return answers
print(json.dumps({"answers": asyncio.run(answer_all()), "modules": sorted(sys.modules)}))
"""
NOT_NEEDED = {"twilio.rest", "azure.storage.queue", "azure.identity", "requests", "phonenumbers.timezone", "tests"}
STEP = {"flow": "customer-line", "step": "hours"}
FORMS: dict[str, tuple[tuple[str, str], ...]] = {
    "sms_status": (("MessageStatus", "delivered"),),
    "voice_status": (("CallStatus", "completed"), ("SequenceNumber", "3")),
    "sms_inbound": (("Body", "STOP"),),
    "voice_inbound": (("CallStatus", "ringing"),),
    "voice_flow": (("CallStatus", "in-progress"),),
    "voice_client": (("CallStatus", "ringing"),),
    "voice_recording": (("RecordingSid", "RE" + "0" * 32), ("RecordingStatus", "completed")),
    "voice_transcription": (
        ("RecordingSid", "RE" + "0" * 32),
        ("TranscriptionSid", "TR" + "0" * 32),
        ("TranscriptionStatus", "completed"),
    ),
    "fallback_sms": (("ErrorCode", "11200"),),
    "fallback_voice": (("ErrorCode", "11200"),),
}


def asked() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every webhook, signed."""
    message, call = webhooks.new_sid("SM"), webhooks.new_sid("CA")
    for name, fields in FORMS.items():
        sid = ("MessageSid", message) if "sms" in name else ("CallSid", call)
        body = webhooks.encode(sid, ("From", "+14155550178"), ("To", NUMBER), *fields)
        target = "/api/" + HTTP_TRIGGERS[name][0].format(**STEP)
        headers = webhooks.headers(target, body)
        url = f"http://internal.invalid{target}"
        route_params = STEP if name == "voice_flow" else {}
        yield name, {"url": url, "headers": headers, "route_params": route_params, "body": body.decode()}


def test_every_webhook_is_answered_without_the_clients_that_it_does_not_need(azurite: str, tmp_path: Path) -> None:
    anonymous = {name for name, (_, method, level) in HTTP_TRIGGERS.items() if (method, level) == ("POST", "anonymous")}
    assert set(FORMS) == anonymous, "a webhook that is not asked here"
    done = subprocess.run(  # noqa: S603 - this very Python
        [sys.executable, "-P", "-c", ANSWER_ALL],
        input=json.dumps(dict(asked())),
        capture_output=True,
        text=True,
        env=environment(settings_of(azurite)) | lay_out(tmp_path),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["answers"] == {
        **dict.fromkeys(FORMS, 200),
        **dict.fromkeys(("sms_status", "voice_status", "voice_recording", "voice_transcription"), 204),
    }
    assert "aiohttp" in report["modules"]
    assert not NOT_NEEDED & set(report["modules"])
