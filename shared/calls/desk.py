"""The desk: a turn of a call is read, walked and put on record before its document is given."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from azure.core.exceptions import AzureError

from shared.calls.texts import CallTexts
from shared.deliveries.keys import is_id
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Event
from shared.errors import Changed, FormInvalid, RequestInvalid
from shared.inbound.arrivals import file_call
from shared.inbound.form import Form
from shared.inbound.replies.quota import Quota
from shared.logs import about
from shared.outbound.checks import Rules
from shared.outbound.decode import data_of
from shared.queues import Queue
from shared.text.numbers import WITHHELD
from shared.voice.flows.apologies import gone
from shared.voice.flows.library import check_data
from shared.voice.flows.model import Flow
from shared.voice.flows.turn import Call, Happened, Turn, Walked, World
from shared.voice.flows.turn_urls import MOST_AGAIN
from shared.voice.flows.walk import walk
from shared.voice.twimlets.reading import Twimlet
from shared.voice.twimlets.walk import walk_twimlet

_logger: Final = logging.getLogger(__name__)
LAST_TRY: Final = 2.0
"""seconds for each part of a turn's record, when it is rather given without it than not at all; there are three"""
NOT_RECORDED: Final = (AzureError, Changed, FormInvalid, TimeoutError)
"""what is no fault in the code: its text may hold URLs, and its trace says no more"""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One webhook of a call in a flow, verified and read."""

    flow: str
    turn: Turn
    delivery_id: str
    form: Form
    arrives: bool = False
    """the call comes in with this very webhook"""
    twimlet: Twimlet | None = None
    """what makes the flow, where no file does"""

    @property
    def is_last(self) -> bool:
        """Whether the turn was put off as often as it may be."""
        return self.turn.again >= MOST_AGAIN

    @property
    def is_of_another_leg(self) -> bool:
        """Whether Twilio tells of a leg that the call dialled, or is to be connected with, and not of the call."""
        return self.turn.part in {"whisper", "screen"}


class Desk:
    """Answers each turn; what it puts on record twice, as Twilio may ask twice, is there once."""

    def __init__(
        self, *, rules: Rules, log: DeliveryLog, queue: Queue, quota: Quota, clock: Callable[[], datetime]
    ) -> None:
        self._rules = rules
        self._log = log
        self._texts = CallTexts(queue=queue, quota=quota, most=rules.settings.replies_per_hour, clock=clock)
        self._clock = clock

    async def answer(self, visit: Visit) -> str:
        """Return the document for a turn, once what happened in it is on record.

        On the last try the document is given without the record, rather than none, unless what it says stands there.

        Raises:
            FormInvalid, Changed, azure.core's errors: it is not on record; the turn should be tried again.
        """
        flow = self._rules.flows.find(visit.flow)
        delivery = await self._within(visit, self._delivery(visit), lost="its call could not be read or recorded")
        if delivery is None and flow is not None and flow.values and _is_outbound(visit, None):
            raise Changed("expected the delivery with the values of its flow, got none")
        walked = self._walk(visit, flow, delivery)
        sid = _sid(visit, delivery)
        await self._within(
            visit, self._note(visit, delivery, walked.happened, sid=sid), lost="a turn of its call is not on record"
        )
        await self._within(visit, self._send(visit, delivery, walked, sid=sid), lost="a text of its call is not sent")
        return walked.twiml

    def _walk(self, visit: Visit, flow: Flow | None, delivery: Delivery | None) -> Walked:
        call = self._call(visit, flow, delivery)
        if visit.twimlet is not None:
            return walk_twimlet(visit.twimlet, call, visit.turn, self._world())
        return _gone(visit) if flow is None else walk(flow, call, visit.turn, self._world())

    async def _within(self, visit: Visit, work: Coroutine[Any, Any, _T], *, lost: str) -> _T | None:
        """Do it; on the last try only for a while, and where it fails, the call goes on without."""
        # who waits, or is about to be connected, hears nothing meanwhile
        if not visit.is_last and visit.turn.part in {"enter", "done"}:
            return await work
        try:
            async with asyncio.timeout(LAST_TRY):
                return await work
        except Exception as exc:  # noqa: BLE001 - somebody waits for the document, whatever it is
            trace = not isinstance(exc, NOT_RECORDED)
            about(_logger, visit.delivery_id).error("%s: %s", lost, type(exc).__name__, exc_info=trace)
            return None

    async def _delivery(self, visit: Visit) -> Delivery | None:
        if visit.arrives:
            return await file_call(self._log, visit.form, now=self._clock(), begins=True)
        found = await self._log.get(visit.delivery_id) if is_id(visit.delivery_id) else None
        if found is None and visit.twimlet is not None and is_id(visit.delivery_id):
            # its URL may be the `url` of a request, which names no delivery
            owner = await self._log.owner_of(visit.delivery_id)
            found = await self._log.get(owner) if owner else None
        is_own = visit.delivery_id == visit.form.get("CallSid") and not visit.is_of_another_leg
        if found is None and is_own and (visit.twimlet is not None or not _is_outbound(visit, None)):
            # it came in while nothing could be put on record, or comes to a twimlet
            begins = visit.twimlet is not None and not visit.turn.step
            return await file_call(self._log, visit.form, now=self._clock(), begins=begins)
        return found

    async def _note(self, visit: Visit, delivery: Delivery | None, happened: Sequence[Happened], *, sid: str) -> None:
        for each in happened:
            if "problem" in each.what:
                told = {name: each.what.get(name) for name in ("flow", "step", "problem")}
                about(_logger, visit.delivery_id).error("a call flow: %s", told)
        if delivery is None:
            # somebody else's call may be screened here
            if happened and not (visit.twimlet is not None and visit.is_of_another_leg):
                about(_logger, visit.delivery_id).error("a turn of its call is lost, as the call is not on record")
            return
        if delivery.erased:
            return
        now = self._clock()
        for place, each in enumerate(happened, start=1):
            event = Event(
                key=f"{sid}:flow:{each.key}",
                kind="flow",
                status=delivery.status,
                at=now + timedelta(microseconds=place),
                raw=dict(each.what),
            )
            delivery = await self._log.record(delivery, event)

    async def _send(self, visit: Visit, delivery: Delivery | None, walked: Walked, *, sid: str) -> None:
        person = _ends(visit, delivery)[0 if not _is_outbound(visit, delivery) else 1]
        for text in walked.texts:
            is_awake = text.to == person
            held_back = await self._texts.send(text, origin=visit.delivery_id, sid=sid, is_awake=is_awake)
            if held_back is not None:
                await self._note(visit, delivery, [held_back], sid=sid)

    def _call(self, visit: Visit, flow: Flow | None, delivery: Delivery | None) -> Call:
        caller, called = _ends(visit, delivery)
        return Call(
            sid=_sid(visit, delivery),
            delivery_id=visit.delivery_id if delivery is None else delivery.id,
            caller=caller,
            called=called,
            outbound=_is_outbound(visit, delivery),
            data={} if flow is None else self._data(flow, delivery),
        )

    def _data(self, flow: Flow, delivery: Delivery | None) -> Mapping[str, Any]:
        """Of what the request brings, the values that this flow takes: the request may have named another one."""
        if not flow.values or delivery is None or delivery.request is None:
            return {}
        try:
            brought = data_of(delivery.request)
            return check_data(flow, {name: value for name, value in brought.items() if name in flow.values})
        except RequestInvalid as exc:
            about(_logger, delivery.id).error("the values of its request do not fit its flow any more: %s", exc)
            return {}

    def _world(self) -> World:
        settings = self._rules.settings
        return World(
            now=self._clock(),
            base_url=settings.public_base_url,
            allowed_countries=settings.allowed_countries,
            default_from=settings.from_number,
            max_call_seconds=settings.max_call_seconds,
            settings=settings.flow_settings,
            starts={other.name: other.start for other in self._rules.flows},
        )


def _gone(visit: Visit) -> Walked:
    what = {"flow": visit.flow, "step": visit.turn.step, "problem": "expected a flow that is there, got another"}
    return Walked(twiml=gone(), happened=(Happened(key=f"{visit.turn.count}.0-gone", what=what),))


def _is_outbound(visit: Visit, delivery: Delivery | None) -> bool:
    if delivery is not None:
        return delivery.direction == "outbound"
    return (visit.form.get("Direction") or "").startswith("outbound-api")


def _ends(visit: Visit, delivery: Delivery | None) -> tuple[str, str]:
    """Return who calls and who is called: another leg tells its own ends, and the call is the delivery's."""
    told = visit.form
    known = delivery if visit.is_of_another_leg or _is_outbound(visit, delivery) else None
    caller = (known and known.from_) or told.get("From") or ""
    return "anonymous" if caller in WITHHELD else caller, (known and known.to) or told.get("To") or ""


def _sid(visit: Visit, delivery: Delivery | None) -> str:
    """Return the call's SID: a delivery may have had another call before, and another leg has its own."""
    own = visit.form.get("CallSid")
    if not visit.is_of_another_leg and own is not None:
        return own
    return (delivery and delivery.sid) or visit.form.get("ParentCallSid") or own or visit.delivery_id
