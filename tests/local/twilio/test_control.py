from collections import Counter
from urllib.parse import urlsplit

import aiohttp
import pytest

from local.twilio import Simulator
from tests.local.twilio.receiver import SAY_HELLO, Receiver, Reply

SOMEBODY, APP = "+14155550100", "+15005550006"


async def test_a_text_comes_in_and_is_answered(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    twiml = f"""<Response>
      <Message statusCallback="/status">Hello back</Message>
      <Message to="{SOMEBODY}"><Body>Look</Body><Media>/a.png</Media></Message>
    </Response>"""
    receiver.answers("/api/sms/inbound", Reply(text=twiml))
    text = {"from": SOMEBODY, "to": APP, "body": "Hi", "media_urls": ["https://example.com/b.jpg"]}
    async with http.post("/simulator/inbound/message", json=text) as response:
        arrival = await response.json()
    await simulator.settled()
    (form,) = receiver.forms("/api/sms/inbound")

    assert (form["From"], form["To"], form["Body"]) == (SOMEBODY, APP, "Hi")
    assert (form["MessageSid"], form["SmsStatus"]) == (arrival["sid"], "received")
    assert (form["NumMedia"], form["MediaContentType0"]) == ("1", "image/jpeg")
    assert form["MediaUrl0"] == "https://example.com/b.jpg"
    assert [(reply["body"], reply["to"]) for reply in arrival["replies"]] == [
        ("Hello back", SOMEBODY),
        ("Look", SOMEBODY),
    ]
    assert arrival["replies"][1]["media"] == [f"{receiver.url}/a.png"]
    inbound, first, second = simulator.messages
    assert (inbound.direction, inbound.status) == ("inbound", "received")
    assert {first.direction, second.direction} == {"outbound-reply"}
    assert [form["MessageStatus"] for form in receiver.forms("/status")] == ["sent", "delivered"]


@pytest.mark.parametrize(
    ("reply", "bodies", "codes"),
    [
        (Reply(status=204), [], []),
        (Reply(text="<Response/>"), [], []),
        (Reply(text="Plain", content_type="text/plain"), ["Plain"], []),
        (Reply(text="<Response><Redirect>/next</Redirect><Message>No</Message></Response>"), ["Next"], []),
        (Reply(text="<Response><Message/><Dial/></Response>"), [], [14103, 12200]),
        (Reply(status=500, text="no"), ["Sorry"], [11200]),
        (Reply(text="<Response>"), ["Sorry"], [12100]),
    ],
)
async def test_what_the_app_answers_to_a_text_is_done(
    http: aiohttp.ClientSession, receiver: Receiver, reply: Reply, bodies: list[str], codes: list[int]
) -> None:
    url = receiver.answers("/text", reply)
    receiver.answers("/next", Reply(text="<Response><Message>Next</Message></Response>"))
    fallback = receiver.answers("/fallback", Reply(text="<Response><Message>Sorry</Message></Response>"))
    text = {"from": SOMEBODY, "to": APP, "url": url, "fallback_url": fallback}
    async with http.post("/simulator/inbound/message", json=text) as response:
        arrival = await response.json()

    assert [reply["body"] for reply in arrival["replies"]] == bodies
    assert [note["code"] for note in arrival["notes"]] == codes
    if bodies == ["Sorry"]:
        (form,) = receiver.forms("/fallback")
        assert (form["ErrorCode"], form["ErrorUrl"]) == (str(codes[0]), url)


async def test_a_call_comes_in_and_hears_the_app(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    receiver.answers("/api/voice/inbound", Reply(text="<Response><Redirect>next</Redirect></Response>"))
    receiver.answers("/api/voice/next", Reply(text=SAY_HELLO))
    call = {"from": SOMEBODY, "to": APP, "status_callback": f"{receiver.url}/status"}
    async with http.post("/simulator/inbound/call", json=call) as response:
        assert response.status == 201
        sid = (await response.json())["sid"]
    await simulator.settled()
    (first,), (second,) = receiver.forms("/api/voice/inbound"), receiver.forms("/api/voice/next")
    (told,) = receiver.forms("/status")

    assert (first["CallSid"], first["CallStatus"], first["Direction"]) == (sid, "ringing", "inbound")
    assert (first["From"], first["To"]) == (SOMEBODY, APP)
    assert second["CallStatus"] == "in-progress"
    assert (told["CallStatus"], told["SequenceNumber"]) == ("completed", "0")
    assert [entry.what for entry in simulator.calls[0].transcript] == ["Hello"]


async def test_a_number_may_be_answered_with_get(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    url = receiver.answers("/twiml", Reply(text=SAY_HELLO))
    call = {"from": SOMEBODY, "to": APP, "url": f"{url}?Message[0]=Hello", "method": "GET"}
    async with http.post("/simulator/inbound/call", json=call) as response:
        assert response.status == 201
    await simulator.settled()
    request = next(each for each in receiver.received if each.raw_path.startswith("/twiml"))

    assert (request.method, dict(request.form)) == ("GET", {})
    assert request.raw_path.startswith("/twiml?Message[0]=Hello&AccountSid=")


async def test_what_happened_can_be_looked_at_and_forgotten(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    receiver.answers("/api/voice/inbound", Reply(text=SAY_HELLO))
    for path in ("message", "call", "call"):
        await http.post(f"/simulator/inbound/{path}", json={"from": SOMEBODY, "to": APP})
    await simulator.settled()
    async with http.get("/simulator/messages", params={"to": APP}) as response:
        messages = await response.json()
    async with http.get("/simulator/calls", params={"limit": "1"}) as response:
        calls = await response.json()
    async with http.get("/simulator/webhooks") as response:
        webhooks = await response.json()

    assert [message["from"] for message in messages["messages"]] == [SOMEBODY]
    assert calls["total"] == 2
    (call,) = calls["calls"]
    assert call["sid"] == simulator.calls[-1].sid
    assert [entry["what"] for entry in call["transcript"]] == ["Hello"]
    assert [status for status, _ in call["history"]] == ["ringing", "in-progress", "completed"]
    paths = Counter(urlsplit(entry["url"]).path for entry in webhooks["webhooks"])
    assert paths == {"/api/sms/inbound": 1, "/api/voice/inbound": 2, "/api/voice/status": 2}
    assert {(entry["attempts"], entry["status"]) for entry in webhooks["webhooks"]} == {(1, 200), (1, 204)}

    assert (await http.post("/simulator/reset")).status == 204
    assert (simulator.messages, simulator.calls, simulator.webhooks) == ([], [], [])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("message", b"no json"),
        ("message", b'{"from": "+1"}'),
        ("call", b'{"from": "+1", "to": "+1", "typo": 1}'),
        ("call", b'{"from": "+1", "to": "+1", "url": "/relative"}'),
    ],
)
async def test_a_wrong_request_is_told_why(http: aiohttp.ClientSession, path: str, body: bytes) -> None:
    async with http.post(f"/simulator/inbound/{path}", data=body) as response:
        assert response.status == 400
        assert (await response.json())["error"]


async def test_without_a_base_the_url_has_to_be_given() -> None:
    async with (
        Simulator.start(account_sid="AC1", auth_token="12345") as simulator,
        aiohttp.ClientSession(simulator.url) as session,
        session.post("/simulator/inbound/call", json={"from": SOMEBODY, "to": APP}) as response,
    ):
        assert response.status == 400
        assert "--webhooks" in (await response.json())["error"]
