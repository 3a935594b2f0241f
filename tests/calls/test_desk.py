"""A turn of a call at the desk: what is put on record and sent before its document is given, and what is not."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import AzureError, ServiceRequestError
from azure.storage.queue.aio import QueueClient

from shared.calls.desk import Desk, Visit
from shared.calls.texts import _request
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Event
from shared.errors import Changed
from shared.inbound.form import Form
from shared.inbound.replies.quota import Quota
from shared.outbound import internal
from shared.outbound.checks import Rules
from shared.outbound.decode import faults_of
from shared.outbound.request import LONGEST_BODY
from shared.queues import LARGEST, Queue
from shared.settings import Settings
from shared.text.numbers import WITHHELD
from shared.voice.flows.library import Flows
from shared.voice.flows.turn import TextToSend, Turn
from shared.voice.flows.turn_urls import MOST_AGAIN
from tests.deliveries.samples import a_delivery
from tests.fakes import FROM_NUMBER, Clock, a_sid, make_settings
from tests.samples.calls import AGENT, FLOWS, LINE, PERSON
from tests.storage import Storage, open_queue, open_storage

WANTED = {"channel": "call", "to": PERSON, "flow": "alert", "data": {"service": "Mail", "incident": "7"}}


class Away(DeliveryLog):
    """A log whose writes meet nobody, once it is told so."""

    is_away = False

    async def record(self, delivery: Delivery, event: Event) -> Delivery:
        if self.is_away:
            raise ServiceRequestError("nobody is there")
        return await super().record(delivery, event)


@dataclass(frozen=True)
class Office:
    """A desk with a log and a queue of its own."""

    storage: Storage
    queue: Queue
    client: QueueClient
    clock: Clock = field(default_factory=Clock)

    def desk(self, *, settings: Settings | None = None, log: DeliveryLog | None = None) -> Desk:
        settings = settings or make_settings()
        flows = Flows.load(FLOWS, default_zone=settings.default_time_zone)
        return Desk(
            rules=Rules(settings, flows=flows),
            log=log or self.storage.log,
            queue=self.queue,
            quota=Quota(self.storage.lookups),
            clock=self.clock,
        )

    def away(self) -> Away:
        """The same log, which can be away."""
        return Away(self.storage.deliveries, self.storage.lookups)

    async def claim(self, **request: Any) -> Delivery:  # noqa: ANN401 - whatever a request holds
        """An outbound call on record."""
        wanted = {"id": a_sid("alert-"), **WANTED, **request}
        claimed = await self.storage.log.claim(
            a_delivery(
                id=wanted["id"],
                channel="call",
                to=PERSON,
                from_=FROM_NUMBER,
                sid=a_sid("CA"),
                request=json.dumps(wanted, ensure_ascii=False).encode(),
            )
        )
        assert claimed is not None
        return claimed

    async def texts(self) -> list[Any]:
        """What was enqueued."""
        if not [name async for name in _exists(self.client)]:
            return []
        messages = [message async for message in self.client.receive_messages()]
        return [json.loads(base64.b64decode(message.content)) for message in messages]

    async def keys(self, delivery_id: str) -> list[str]:
        """The keys of what is on record, in order."""
        return [event.key for event in await self.storage.log.timeline(delivery_id)]


async def _exists(client: QueueClient) -> AsyncIterator[bool]:
    try:
        await client.get_queue_properties()
    except AzureError:
        return
    yield True


@pytest.fixture
async def office(azurite: str) -> AsyncIterator[Office]:
    async with open_storage(azurite) as storage, open_queue(azurite) as (queue, client):
        yield Office(storage, queue, client)


def _visit(
    step: str,
    *,
    sid: str,
    flow: str = "line",
    delivery_id: str | None = None,
    arrives: bool = False,
    form: dict[str, str] | None = None,
    **turn: Any,  # noqa: ANN401 - whatever a turn holds
) -> Visit:
    told = {"CallSid": sid, "CallStatus": "in-progress", "From": PERSON, "To": LINE, **(form or {})}
    return Visit(
        flow=flow,
        turn=Turn(step=step, form=told, **turn),
        delivery_id=delivery_id or sid,
        form=Form(list(told.items())),
        arrives=arrives,
    )


def _outbound(delivery: Delivery, step: str, *, form: dict[str, str] | None = None, **more: Any) -> Visit:  # noqa: ANN401 - whatever a turn holds
    told = {"From": FROM_NUMBER, "To": PERSON, "Direction": "outbound-api", **(form or {})}
    flow = more.pop("flow", "alert")
    return _visit(step, sid=delivery.sid or "", flow=flow, delivery_id=delivery.id, form=told, **more)


async def test_what_happens_in_one_turn_is_on_record_in_its_order(office: Office) -> None:
    sid = a_sid("CA")
    await office.desk().answer(_visit("text", sid=sid, arrives=True))
    keys = await office.keys(sid)
    assert keys == [f"{sid}:webhook:in-progress", f"{sid}:flow:0.1-text-event", f"{sid}:flow:0.2-bye-event"]


async def test_while_it_is_not_on_record_there_is_no_document_and_no_text(office: Office) -> None:
    sid, log = a_sid("CA"), office.away()
    log.is_away = True
    with pytest.raises(AzureError):
        await office.desk(log=log).answer(_visit("text", sid=sid, arrives=True))
    assert await office.texts() == []
    log.is_away = False
    await office.desk(log=log).answer(_visit("text", sid=sid, arrives=True, again=1))
    assert [text["id"] for text in await office.texts()] == [f"{sid}~0.1-text-text"]
    assert len(await office.keys(sid)) == 3


async def test_on_the_last_try_the_text_goes_out_though_the_record_does_not(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    sid, log = a_sid("CA"), office.away()
    log.is_away = True
    document = await office.desk(log=log).answer(_visit("text", sid=sid, arrives=True, again=MOST_AGAIN))
    assert "Goodbye." in document
    assert [text["request"]["to"] for text in await office.texts()] == [PERSON]
    assert "a turn of its call is not on record: ServiceRequestError" in caplog.text
    assert PERSON not in caplog.text


async def test_who_is_on_the_phone_is_texted_in_quiet_hours_too(office: Office) -> None:
    await office.desk().answer(_visit("text", sid=a_sid("CA"), arrives=True))
    [text] = await office.texts()
    assert text["request"] == {"channel": "sms", "to": PERSON, "body": f"Thank you, {PERSON}.", "urgent": True}
    assert faults_of(json.dumps(text).encode(), Rules(make_settings())) == ()


@pytest.mark.parametrize("is_on_record", [True, False])
async def test_on_calls_of_ours_the_callee_is_texted_and_not_ourselves(office: Office, is_on_record: bool) -> None:  # noqa: FBT001 - a parameter of the test
    delivery = await office.claim(flow="line", data=None)
    if not is_on_record:
        delivery = a_delivery(id="nobody", sid=a_sid("CA"))
    await office.desk().answer(_outbound(delivery, "text", flow="line", again=MOST_AGAIN))
    assert [text["request"]["to"] for text in await office.texts()] == [PERSON]


async def test_a_text_that_is_too_long_is_refused_on_record_and_holds_no_call_up(office: Office) -> None:
    delivery = await office.claim(data={"service": "Mail", "incident": "😀" * 4_000})
    await office.desk().answer(_outbound(delivery, "text"))
    [text] = await office.texts()
    [fault] = faults_of(json.dumps(text).encode(), Rules(make_settings()))
    assert fault.field == "body"
    assert len(text["request"]["body"]) == LONGEST_BODY + 1, "a text of any length would fit into no queue"


async def test_nobody_outside_the_allowed_countries_is_texted_or_dialled(office: Office) -> None:
    desk = office.desk(settings=make_settings(ALLOWED_COUNTRIES="DE"))
    sid = a_sid("CA")
    await desk.answer(_visit("text", sid=sid, arrives=True))
    document = await desk.answer(_visit("sales", sid=sid, count=1))
    assert await office.texts() == []
    assert "<Dial" not in document
    problems = [e.raw["problem"] for e in await office.storage.log.timeline(sid) if "problem" in e.raw]
    assert len(problems) == 2


@pytest.mark.parametrize("withheld", sorted(WITHHELD))
async def test_a_hidden_callers_number_is_nobodys_and_is_not_texted(office: Office, withheld: str) -> None:
    sid = a_sid("CA")
    await office.desk().answer(_visit("text", sid=sid, arrives=True, form={"From": withheld}))
    assert await office.texts() == []


async def test_whoever_a_forged_caller_id_names_is_texted_so_often_in_an_hour_and_the_calls_go_on(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    desk = office.desk(settings=make_settings(REPLIES_PER_HOUR="3"))
    calls = [a_sid("CA") for _ in range(5)]
    for sid in calls:
        assert "Goodbye." in await desk.answer(_visit("text", sid=sid, arrives=True))
        office.clock.advance(timedelta(seconds=20))
    assert [text["origin"] for text in await office.texts()] == calls[:3]
    for sid in calls[3:]:
        [told] = [event.raw for event in await office.storage.log.timeline(sid) if "problem" in event.raw]
        assert (told["flow"], told["step"]) == ("line", "text")
        assert "3 replies and texts of calls within the hour" in told["problem"]
    assert caplog.text.count("nobody was texted") == 2
    assert PERSON not in caplog.text
    office.clock.advance(timedelta(hours=1))
    await desk.answer(_visit("text", sid=a_sid("CA"), arrives=True))
    assert len(await office.texts()) == 1, "an hour later there is room again"


async def test_one_call_that_comes_to_a_step_again_and_again_is_capped_too(office: Office) -> None:
    desk, sid = office.desk(settings=make_settings(REPLIES_PER_HOUR="2")), a_sid("CA")
    for count in range(0, 8, 2):
        await desk.answer(_visit("text", sid=sid, arrives=not count, count=count))
    assert [text["id"] for text in await office.texts()] == [f"{sid}~{count}.1-text-text" for count in (0, 2)]


async def test_a_turn_that_twilio_repeats_is_counted_once(office: Office) -> None:
    desk, sid = office.desk(settings=make_settings(REPLIES_PER_HOUR="2")), a_sid("CA")
    for _ in range(4):
        await desk.answer(_visit("text", sid=sid, arrives=True))
        office.clock.advance(timedelta(seconds=15))
    await desk.answer(_visit("text", sid=a_sid("CA"), arrives=True))
    assert len({text["id"] for text in await office.texts()}) == 2


async def test_replies_to_a_persons_texts_and_the_texts_of_calls_share_one_window(office: Office) -> None:
    quota = Quota(office.storage.lookups)
    assert await quota.take(PERSON, text_id=a_sid(), at=office.clock.now, most=1)
    await office.desk(settings=make_settings(REPLIES_PER_HOUR="1")).answer(
        _visit("text", sid=a_sid("CA"), arrives=True)
    )
    assert await office.texts() == []
    assert not await quota.take(PERSON, text_id=a_sid(), at=office.clock.now, most=1)


async def test_a_crash_after_the_count_loses_no_text(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, sid = office.desk(settings=make_settings(REPLIES_PER_HOUR="1")), a_sid("CA")

    async def dies(_message: bytes) -> None:
        raise ServiceRequestError("nobody is there")

    with monkeypatch.context() as broken:
        broken.setattr(office.queue, "put", dies)
        with pytest.raises(AzureError):
            await desk.answer(_visit("text", sid=sid, arrives=True))
    office.clock.advance(timedelta(seconds=5))
    await desk.answer(_visit("text", sid=sid, arrives=True, again=1))
    assert [text["origin"] for text in await office.texts()] == [sid]


async def test_who_our_own_request_called_is_texted_without_a_cap(office: Office) -> None:
    delivery = await office.claim()
    await office.desk(settings=make_settings(REPLIES_PER_HOUR="0")).answer(_outbound(delivery, "text"))
    assert len(await office.texts()) == 1


async def test_what_was_erased_stays_so_while_the_call_goes_on(office: Office) -> None:
    delivery = await office.storage.log.erase(await office.claim(), now=office.clock.now)
    document = await office.desk().answer(_outbound(delivery, "alert", form={"CallSid": a_sid("CA")}))
    assert "<Gather" in document
    assert await office.keys(delivery.id) == []


async def test_a_second_call_of_a_delivery_leaves_events_of_its_own(office: Office) -> None:
    delivery = await office.claim()
    for sid in (delivery.sid, a_sid("CA")):
        await office.desk().answer(_outbound(delivery, "bye", form={"CallSid": sid or "", "AnsweredBy": "human"}))
    assert len(await office.keys(delivery.id)) == 2


async def test_another_leg_leaves_its_events_with_the_call(office: Office) -> None:
    sid = a_sid("CA")
    await office.desk().answer(_visit("menu", sid=sid, arrives=True))
    leg = {"ParentCallSid": sid, "From": FROM_NUMBER, "To": AGENT, "Direction": "outbound-dial"}
    screened = _visit("sales", sid=a_sid("CA"), delivery_id=sid, part="screen", count=2, form=leg)
    await office.desk().answer(screened)
    assert f"{sid}:flow:2.0-sales-screen-0" in await office.keys(sid)
    assert await office.storage.log.get(screened.form.sid("CallSid")) is None, "the leg is no call of its own"


async def test_a_leg_of_a_call_that_is_not_on_record_is_connected_and_said_to_be_lost(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    document = await office.desk().answer(_visit("sales", sid=a_sid("CA"), delivery_id="nobody", part="screen"))
    assert "Hangup" in document, "no key was pressed"
    assert "is lost" in caplog.text


async def test_values_that_a_deploy_made_unfit_are_left_out_and_said_so(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = await office.claim(data={"service": 5, "incident": "7"})
    document = await office.desk().answer(_outbound(delivery, "bye"))
    assert "Hangup" in document
    assert "do not fit its flow any more" in caplog.text


async def test_a_call_of_ours_with_values_that_is_nowhere_on_record_is_tried_again(office: Office) -> None:
    for again in (0, MOST_AGAIN):
        with pytest.raises(Changed):
            await office.desk().answer(_outbound(a_delivery(id="nobody", sid=a_sid("CA")), "alert", again=again))


async def test_a_flow_that_is_gone_leaves_an_event(office: Office) -> None:
    sid = a_sid("CA")
    document = await office.desk().answer(_visit("menu", sid=sid, flow="gone", arrives=True, count=3))
    assert "<Hangup" in document
    [_, event] = await office.storage.log.timeline(sid)
    assert (event.key, event.raw["flow"]) == (f"{sid}:flow:3.0-gone", "gone")
    assert event.at - office.clock.now < timedelta(seconds=1)


def test_a_text_to_whatever_a_value_says_is_of_a_size_that_every_queue_carries() -> None:
    request = _request(TextToSend(key="t", to="😀" * 30_000, body="\x01" * 30_000), is_awake=True)
    message = internal.write(internal.Derived(id=f"{'x' * 100}~{'y' * 99}", origin="x" * 100, request=request))
    assert len(message) <= LARGEST
    assert {fault.field for fault in faults_of(message, Rules(make_settings()))} >= {"to", "body"}
