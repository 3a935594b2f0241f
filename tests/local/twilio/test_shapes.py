"""Every answer has exactly the fields, types and formats of Twilio's OpenAPI document."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest
from twilio.rest import Client
from twilio.rest.api.v2010.account.call import CallInstance
from twilio.rest.api.v2010.account.call.recording import RecordingInstance as CallRecordingInstance
from twilio.rest.api.v2010.account.message import MessageInstance
from twilio.rest.api.v2010.account.recording import RecordingInstance

from local.twilio import Simulator
from tests.local.twilio.conftest import ACCOUNT_SID
from tests.local.twilio.receiver import SAY_HELLO
from tests.local.twilio.samples.openapi import (
    ACCOUNT,
    CALL,
    CALL_RECORDING,
    MESSAGE,
    PAGE,
    RECORDING,
    RFC_2822,
    Field,
)

TO, FROM = "+14155550100", "+14155550199"
URI = r"/2010-04-01/Accounts/AC[0-9a-f]{32}/\S+\.json"
BASE = f"/2010-04-01/Accounts/{ACCOUNT_SID}"


def faults(answer: Mapping[str, Any], table: Mapping[str, Field]) -> list[str]:
    found = [f"{name}: missing" for name in table if name not in answer]
    for name, value in answer.items():
        expected = table.get(name)
        if expected is None:
            found.append(f"{name}: unknown")
        elif value is None:
            found.extend([] if expected.nullable else [f"{name}: null"])
        elif expected.format == "uri-map":
            found.extend(f"{name}: {uri}" for uri in value.values() if not re.fullmatch(URI, uri))
        elif type(value) is not expected.type or not well_formed(str(value), expected.format):
            found.append(f"{name}: {value!r} is no {expected.type.__name__} of the format {expected.format}")
    return found


def well_formed(value: str, form: str) -> bool:
    if form == RFC_2822:
        return bool(parsedate_to_datetime(value)) and bool(re.search(r" \+0000$", value))
    if re.fullmatch(r"[A-Z|]+", form):
        return bool(re.fullmatch(rf"({form})[0-9a-fA-F]{{32}}", value))
    return not form or value in form.split("|")


@pytest.mark.parametrize(
    "fields",
    [
        {"To": TO, "From": FROM, "Body": "Hello"},
        {"To": TO, "MessagingServiceSid": "MG" + "0" * 32, "Body": "Hello"},
        {"To": "+15005550101", "From": "Sender", "MediaUrl": "https://example.com/a.png"},
        {"To": "whatsapp:+14155550100", "From": "whatsapp:+14155550199", "ContentSid": "HX1"},
    ],
)
async def test_messages_have_the_documented_shape(
    http: aiohttp.ClientSession, simulator: Simulator, fields: dict[str, str]
) -> None:
    async with http.post(f"{BASE}/Messages.json", data=fields) as response:
        assert response.status == 201
        created = await response.json()
    await simulator.settled()
    async with http.get(created["uri"]) as response:
        fetched = await response.json()
    async with http.get(f"{BASE}/Messages.json", params={"To": fields["To"]}) as response:
        page = await response.json()

    assert faults(created, MESSAGE) == []
    assert faults(fetched, MESSAGE) == []
    assert page.pop("messages") == [fetched]
    assert faults(page, PAGE) == []


@pytest.mark.parametrize("to", [TO, "+442079460100", "client:anna", "+15005550101", "+15005550103"])
async def test_calls_have_the_documented_shape(http: aiohttp.ClientSession, simulator: Simulator, to: str) -> None:
    async with http.post(f"{BASE}/Calls.json", data={"To": to, "From": FROM, "Twiml": SAY_HELLO}) as response:
        assert response.status == 201
        created = await response.json()
    await simulator.settled()
    async with http.get(created["uri"]) as response:
        fetched = await response.json()
    async with http.get(f"{BASE}/Calls.json", params={"To": to}) as response:
        page = await response.json()

    assert faults(created, CALL) == []
    assert faults(fetched, CALL) == []
    assert page.pop("calls") == [fetched]
    assert faults(page, PAGE) == []


async def test_recordings_have_the_documented_shape(http: aiohttp.ClientSession, simulator: Simulator) -> None:
    call = {"To": TO, "From": FROM, "Twiml": SAY_HELLO, "Record": "true"}
    async with http.post(f"{BASE}/Calls.json", data=call) as response:
        sid = (await response.json())["sid"]
    await simulator.settled()
    async with http.get(f"{BASE}/Recordings.json", params={"CallSid": sid}) as response:
        page = await response.json()
    async with http.get(f"{BASE}/Calls/{sid}/Recordings.json") as response:
        of_call = await response.json()
    async with http.get(page["recordings"][0]["uri"]) as response:
        assert page.pop("recordings") == [fetched := await response.json()]

    assert faults(fetched, RECORDING) == []
    assert [faults(shown, CALL_RECORDING) for shown in of_call.pop("recordings")] == [[]]
    assert faults(page, PAGE) == faults(of_call, PAGE) == []


async def test_the_account_has_the_documented_shape(http: aiohttp.ClientSession) -> None:
    async with http.get(f"{BASE}.json") as response:
        assert faults(await response.json(), ACCOUNT) == []


async def test_an_error_has_the_documented_shape(http: aiohttp.ClientSession) -> None:
    async with http.post(f"{BASE}/Messages.json", data={}) as response:
        assert (response.status, response.content_type) == (400, "application/json")
        assert await response.json() == {
            "code": 21604,
            "message": "A 'To' phone number is required.",
            "more_info": "https://www.twilio.com/docs/errors/21604",
            "status": 400,
        }


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"{BASE}/Messages/SM1.json", 404, 20404),
        ("GET", f"{BASE}/Calls/CA1.json", 404, 20404),
        ("GET", f"{BASE}/Queues.json", 404, 20404),
        ("GET", "/2010-04-01/Nothing", 404, 20404),
        ("DELETE", f"{BASE}/Messages.json", 405, 20004),
        ("GET", f"{BASE}/Messages.json?PageSize=many", 400, 20001),
        ("GET", f"{BASE}/Messages.json?DateSent=yesterday", 400, 20001),
    ],
)
async def test_what_cannot_be_served_is_an_error_of_twilio(
    http: aiohttp.ClientSession, method: str, path: str, status: int, code: int
) -> None:
    async with http.request(method, path) as response:
        body = await response.json()
    assert (response.status, body["status"], body["code"]) == (status, status, code)


@pytest.mark.parametrize("authorization", ["", "Basic", "Basic !", "Bearer abc", "Basic QUM6"])
async def test_a_malformed_authorization_is_refused(simulator: Simulator, authorization: str) -> None:
    async with aiohttp.ClientSession(simulator.url, headers={"Authorization": authorization}) as session:
        for path in (f"{BASE}/Messages.json", "/2010-04-01/Nothing"):
            async with session.get(path) as response:
                assert (response.status, (await response.json())["code"]) == (401, 20003)


async def test_the_table_knows_every_field_of_the_official_client(client: Client) -> None:
    message = MessageInstance(client.api.v2010, {}, ACCOUNT_SID)
    call = CallInstance(client.api.v2010, {}, ACCOUNT_SID)

    recording = RecordingInstance(client.api.v2010, {}, ACCOUNT_SID)
    of_call = CallRecordingInstance(client.api.v2010, {}, ACCOUNT_SID, "CA" + "0" * 32)

    tables = ((message, MESSAGE), (call, CALL), (recording, RECORDING), (of_call, CALL_RECORDING))
    for instance, table in tables:
        names = {name.strip("_") for name in vars(instance)}
        assert names - {"version", "solution", "context"} == set(table)
