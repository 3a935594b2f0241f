import asyncio
from email.utils import parsedate_to_datetime

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client
from twilio.rest.api.v2010.account.call import CallInstance

from local.twilio import Simulator
from local.twilio.twiml import Heard
from tests.local.twilio.conftest import ACCOUNT_SID, client_of
from tests.local.twilio.receiver import AUTH_TOKEN, SAY_HELLO, Receiver, Reply

TO, FROM = "+14155550100", "+14155550199"
EVERY_EVENT = ["initiated", "ringing", "answered", "completed"]
SORRY = "We are sorry, an application error has occurred. Goodbye."


def heard(simulator: Simulator) -> list[tuple[str, str]]:
    return [(entry.kind, entry.what) for entry in simulator.calls[0].transcript]


def notes(simulator: Simulator) -> list[int]:
    return [note.code for note in simulator.calls[0].notes]


async def call(client: Client, simulator: Simulator, **options: object) -> CallInstance:
    """Make a call, and come back when it has ended."""
    created = await client.calls.create_async(**{"to": TO, "from_": FROM} | options)
    await simulator.settled()
    return created


async def test_a_call_rings_is_answered_plays_its_twiml_and_completes(client: Client, simulator: Simulator) -> None:
    created = await call(client, simulator, twiml=SAY_HELLO)
    fetched = await client.calls(created.sid).fetch_async()

    assert (created.status, created.start_time) == ("queued", None)
    assert (fetched.status, fetched.duration, fetched.direction) == ("completed", "1", "outbound-api")
    assert fetched.start_time is not None
    assert heard(simulator) == [("said", "Hello")]
    history = [status for status, _ in simulator.calls[0].history]
    assert history == ["queued", "ringing", "in-progress", "completed"]


async def test_every_event_that_was_asked_for_is_told_in_order(
    client: Client, simulator: Simulator, receiver: Receiver
) -> None:
    await call(
        client,
        simulator,
        twiml="<Response><Pause length='61'/></Response>",
        status_callback=f"{receiver.url}/status?delivery=a-1",
        status_callback_event=EVERY_EVENT,
    )
    forms = receiver.forms("/status")

    assert [form["CallStatus"] for form in forms] == ["initiated", "ringing", "in-progress", "completed"]
    assert [form["SequenceNumber"] for form in forms] == ["0", "1", "2", "3"]
    assert {form["CallbackSource"] for form in forms} == {"call-progress-events"}
    assert all(parsedate_to_datetime(form["Timestamp"]) for form in forms)
    assert all("CallDuration" not in form for form in forms[:-1])
    last = forms[-1]
    assert (last["CallDuration"], last["Duration"], last["SipResponseCode"]) == ("61", "2", "200")


async def test_only_the_end_is_told_by_default(client: Client, simulator: Simulator, receiver: Receiver) -> None:
    await call(client, simulator, twiml=SAY_HELLO, status_callback=f"{receiver.url}/status")

    assert [(form["CallStatus"], form["SequenceNumber"]) for form in receiver.forms("/status")] == [("completed", "0")]


@pytest.mark.parametrize(
    ("to", "told", "sip_code"),
    [
        ("+15005550101", ["initiated", "ringing", "busy"], "486"),
        ("+15005550102", ["initiated", "ringing", "no-answer"], "487"),
        ("+15005550103", ["initiated", "failed"], "404"),
    ],
)
async def test_special_callees_do_not_answer(
    client: Client, simulator: Simulator, receiver: Receiver, *, to: str, told: list[str], sip_code: str
) -> None:
    created = await call(
        client,
        simulator,
        to=to,
        twiml=SAY_HELLO,
        status_callback=f"{receiver.url}/status",
        status_callback_event=EVERY_EVENT,
    )
    fetched = await client.calls(created.sid).fetch_async()
    forms = receiver.forms("/status")

    assert [form["CallStatus"] for form in forms] == told
    assert (forms[-1]["SipResponseCode"], forms[-1]["CallDuration"]) == (sip_code, "0")
    assert (fetched.status, fetched.duration) == (told[-1], None)
    assert heard(simulator) == []


async def test_a_machine_answers_where_it_is_to_be_detected(
    client: Client, simulator: Simulator, receiver: Receiver
) -> None:
    url = receiver.answers("/twiml", Reply(text=SAY_HELLO))
    for to in ("+15005550104", TO):
        await call(client, simulator, to=to, url=url, machine_detection="Enable")

    assert [form["AnsweredBy"] for form in receiver.forms("/twiml")] == ["machine_start", "human"]


async def test_every_verb_is_walked_and_others_are_noted(client: Client, simulator: Simulator) -> None:
    twiml = """<Response>
      <Say voice="alice" language="de-DE" loop="2">Guten <emphasis>Tag</emphasis></Say>
      <Play digits="12w3"/><Play>https://example.com/a.mp3</Play><Pause/>
      <Echo/><Nonsense/><Hangup after="1"/><Say>Never said</Say>
    </Response>"""
    await call(client, simulator, twiml=twiml)

    assert heard(simulator) == [
        ("said", "Guten Tag"),
        ("played", "12w3"),
        ("played", "https://example.com/a.mp3"),
        ("paused", "1"),
        ("not simulated yet", "Echo"),
    ]
    said = simulator.calls[0].transcript[0]
    assert said == Heard(kind="said", what="Guten Tag", seconds=1.2, voice="alice", language="de-DE", times=2)
    assert notes(simulator) == [12200, 12200]


async def test_twiml_is_fetched_with_the_voice_parameters(
    client: Client, simulator: Simulator, receiver: Receiver
) -> None:
    url = receiver.answers("/twiml", Reply(text=SAY_HELLO))
    created = await call(client, simulator, url=f"{url}?step=1")
    (form,) = receiver.forms("/twiml")

    assert form["CallSid"] == created.sid
    assert (form["From"], form["To"], form["Caller"], form["Called"]) == (FROM, TO, FROM, TO)
    assert (form["CallStatus"], form["Direction"]) == ("in-progress", "outbound-api")
    assert form["FromCity"] == ""


async def test_get_carries_the_parameters_in_the_query(
    client: Client, simulator: Simulator, receiver: Receiver
) -> None:
    url = receiver.answers("/twiml", Reply(text=SAY_HELLO))
    created = await call(client, simulator, url=f"{url}?step=1", method="GET")
    (request,) = receiver.received

    assert request.method == "GET"
    assert request.raw_path.startswith("/twiml?step=1&AccountSid=")
    assert f"CallSid={created.sid}" in request.raw_path
    assert not request.form


async def test_redirects_resolve_against_the_document_that_they_stand_in(
    client: Client, simulator: Simulator, receiver: Receiver
) -> None:
    url = receiver.answers("/flow/start", Reply(text="<Response><Redirect>next?a=1</Redirect></Response>"))
    receiver.answers(
        "/flow/next", Reply(text="<Response><Redirect method='GET'>/end</Redirect><Say>No</Say></Response>")
    )
    receiver.answers("/end", Reply(text=SAY_HELLO))
    await call(client, simulator, url=url)

    assert [request.path for request in receiver.received] == ["/flow/start", "/flow/next", "/end"]
    assert heard(simulator) == [("said", "Hello")]


async def test_a_redirect_loop_ends(client: Client, simulator: Simulator, receiver: Receiver) -> None:
    url = receiver.answers("/loop", Reply(text="<Response><Redirect/></Response>"))
    await call(client, simulator, url=url)

    assert len(receiver.received) == 50
    assert heard(simulator) == [("said", SORRY)]


async def test_a_moved_document_is_followed(client: Client, simulator: Simulator, receiver: Receiver) -> None:
    url = receiver.answers("/old", Reply(status=302, headers={"Location": "/new"}))
    receiver.answers("/new", Reply(text=SAY_HELLO))
    await call(client, simulator, url=url)

    assert [(request.method, request.path) for request in receiver.received] == [
        ("POST", "/old"),
        ("GET", "/new"),
    ]
    assert heard(simulator) == [("said", "Hello")]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(status=500, text="no"), 11200),
        (Reply(status=404, text="no"), 11200),
        (Reply(text="<Response><Say>Hello</Response>"), 12100),
        (Reply(text="<Answer/>"), 12100),
        (Reply(text="{}", content_type="application/json"), 12300),
        (Reply(text=f"<Response><Say>{'x' * 70_000}</Say></Response>"), 11750),
    ],
)
async def test_bad_twiml_leads_to_the_fallback(
    client: Client, simulator: Simulator, receiver: Receiver, reply: Reply, code: int
) -> None:
    url = receiver.answers("/twiml", reply)
    fallback = receiver.answers("/fallback", Reply(text="<Response><Say>Sorry</Say></Response>"))
    await call(client, simulator, url=url, fallback_url=fallback)
    (form,) = receiver.forms("/fallback")

    assert (form["ErrorCode"], form["ErrorUrl"]) == (str(code), url)
    assert notes(simulator) == [code]
    assert heard(simulator) == [("said", "Sorry")]


async def test_without_a_fallback_the_callee_hears_an_apology(client: Client, simulator: Simulator) -> None:
    created = await call(client, simulator, twiml="<Response><Say>Hello</Response>")

    assert notes(simulator) == [12100]
    assert heard(simulator) == [("said", SORRY)]
    assert (await client.calls(created.sid).fetch_async()).status == "completed"


async def test_nobody_at_the_url_is_a_connection_failure(
    client: Client, simulator: Simulator, unused_tcp_port: int
) -> None:
    await call(client, simulator, url=f"http://127.0.0.1:{unused_tcp_port}/")

    assert notes(simulator) == [11205]


@pytest.mark.parametrize(
    ("content_type", "text", "entry"),
    [("text/plain", "Just text", ("said", "Just text")), ("audio/mpeg", "...", ("played", "/twiml"))],
)
async def test_text_is_said_and_audio_played(
    client: Client,
    simulator: Simulator,
    receiver: Receiver,
    *,
    content_type: str,
    text: str,
    entry: tuple[str, str],
) -> None:
    url = receiver.answers("/twiml", Reply(text=text, content_type=content_type))
    await call(client, simulator, url=url)

    assert [(kind, what.removeprefix(receiver.url)) for kind, what in heard(simulator)] == [entry]


async def test_the_time_limit_hangs_up(client: Client, simulator: Simulator) -> None:
    twiml = "<Response><Say loop='0'>Hold the line</Say><Say>Never said</Say></Response>"
    created = await call(client, simulator, twiml=twiml, time_limit=30)

    assert (await client.calls(created.sid).fetch_async()).duration == "30"
    assert [kind for kind, _ in heard(simulator)] == ["said"]


async def begun(client: Client, receiver: Receiver, **options: object) -> tuple[CallInstance, asyncio.Event]:
    """A call in progress: its first document is held back until the event is set."""
    event = asyncio.Event()
    url = receiver.holds("/held", until=event, text=SAY_HELLO)
    created = await client.calls.create_async(to=TO, from_=FROM, url=url, **options)
    await receiver.asked.wait()
    return created, event


async def test_a_call_in_progress_can_be_ended(client: Client, simulator: Simulator, receiver: Receiver) -> None:
    created, event = await begun(client, receiver, status_callback=f"{receiver.url}/status")
    updated = await client.calls(created.sid).update_async(status="completed")
    event.set()
    await simulator.settled()

    assert updated.status == "completed"
    assert [form["CallStatus"] for form in receiver.forms("/status")] == ["completed"]
    assert heard(simulator) == []


async def test_a_call_in_progress_can_be_sent_elsewhere(
    client: Client, simulator: Simulator, receiver: Receiver
) -> None:
    created, event = await begun(client, receiver)
    await client.calls(created.sid).update_async(twiml="<Response><Say>Something else</Say></Response>")
    event.set()
    await simulator.settled()

    assert heard(simulator) == [("said", "Something else")]


async def test_nobody_is_told_of_a_call_that_was_canceled_while_queued(receiver: Receiver) -> None:
    async with (
        Simulator.start(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, pace=600) as simulator,
        client_of(simulator) as client,
    ):
        created = await client.calls.create_async(
            to=TO, from_=FROM, twiml=SAY_HELLO, status_callback=f"{receiver.url}/status"
        )
        canceled = await client.calls(created.sid).update_async(status="canceled")
        await simulator.settled()

    assert canceled.status == "canceled"
    assert receiver.received == []


async def test_a_status_callback_can_be_a_get(client: Client, simulator: Simulator, receiver: Receiver) -> None:
    await call(
        client,
        simulator,
        twiml=SAY_HELLO,
        status_callback=f"{receiver.url}/status",
        status_callback_method="GET",
    )
    (request,) = receiver.received

    assert request.method == "GET"
    assert "CallStatus=completed" in request.raw_path


async def test_a_ringing_call_can_be_canceled(client: Client, simulator: Simulator, receiver: Receiver) -> None:
    event = asyncio.Event()
    callback = receiver.holds("/status", until=event)
    created = await client.calls.create_async(
        to=TO,
        from_=FROM,
        twiml=SAY_HELLO,
        status_callback=callback,
        status_callback_event=["ringing", "completed"],
    )
    await receiver.asked.wait()
    canceled = await client.calls(created.sid).update_async(status="canceled")
    event.set()
    await simulator.settled()

    assert canceled.status == "canceled"
    assert [form["CallStatus"] for form in receiver.forms("/status")] == ["ringing", "canceled"]
    assert heard(simulator) == []


@pytest.mark.parametrize("change", [{"status": "completed"}, {"status": "canceled"}, {"twiml": SAY_HELLO}])
async def test_a_call_that_has_ended_is_not_changed(
    client: Client, simulator: Simulator, change: dict[str, str]
) -> None:
    created = await call(client, simulator, twiml=SAY_HELLO)
    with pytest.raises(TwilioRestException) as refused:
        await client.calls(created.sid).update_async(**change)
    assert refused.value.code == 21220


async def test_an_answered_call_is_not_canceled(client: Client, simulator: Simulator, receiver: Receiver) -> None:
    created, event = await begun(client, receiver)
    with pytest.raises(TwilioRestException) as refused:
        await client.calls(created.sid).update_async(status="canceled")
    event.set()
    await simulator.settled()
    assert refused.value.code == 21220
    assert heard(simulator) == [("said", "Hello")]


async def test_a_call_is_deleted_once_it_has_ended(client: Client, simulator: Simulator, receiver: Receiver) -> None:
    created, event = await begun(client, receiver)
    with pytest.raises(TwilioRestException) as refused:
        await client.calls(created.sid).delete_async()
    event.set()
    await simulator.settled()

    assert refused.value.code == 20009
    assert await client.calls(created.sid).delete_async()
    assert simulator.calls == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": "", "from_": FROM, "twiml": SAY_HELLO}, 21201),
        ({"to": TO, "from_": "", "twiml": SAY_HELLO}, 21213),
        ({"to": TO, "from_": FROM}, 21205),
        ({"to": TO, "from_": FROM, "url": "example.com"}, 21205),
        ({"to": TO, "from_": FROM, "twiml": SAY_HELLO, "status_callback": "no url"}, 21609),
        ({"to": TO, "from_": FROM, "twiml": "x" * 4001}, 20001),
        ({"to": "nobody", "from_": FROM, "twiml": SAY_HELLO}, 21211),
        ({"to": TO, "from_": "nobody", "twiml": SAY_HELLO}, 21212),
        ({"to": TO, "from_": "+15005550001", "twiml": SAY_HELLO}, 21212),
        ({"to": TO, "from_": "+15005550007", "twiml": SAY_HELLO}, 21210),
        ({"to": TO, "from_": "+15005550008", "twiml": SAY_HELLO}, 21210),
        ({"to": "+15005550001", "from_": FROM, "twiml": SAY_HELLO}, 21217),
        ({"to": "+15005550002", "from_": FROM, "twiml": SAY_HELLO}, 21214),
        ({"to": "+15005550003", "from_": FROM, "twiml": SAY_HELLO}, 21215),
        ({"to": "+15005550004", "from_": FROM, "twiml": SAY_HELLO}, 21216),
    ],
)
async def test_a_refused_create_has_the_code_of_twilio_and_leaves_nothing(
    client: Client, simulator: Simulator, fields: dict[str, str], code: int
) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await client.calls.create_async(**fields)

    assert (refused.value.code, refused.value.status) == (code, 400)
    assert simulator.calls == []
