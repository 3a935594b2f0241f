"""The desk: a turn of a call is read, walked and put on record before its document is given."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from azure.core.exceptions import AzureError

from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Event
from shared.errors import RequestInvalid
from shared.inbound.form import Form
from shared.logs import about
from shared.outbound import internal
from shared.outbound.checks import Rules
from shared.outbound.decode import decode
from shared.queues import Queue
from shared.text.numbers import country
from shared.voice.flows.apologies import gone
from shared.voice.flows.library import check_data
from shared.voice.flows.model import Flow
from shared.voice.flows.turn import Call, TextToSend, Turn, Walked, World
from shared.voice.flows.urls import MOST_AGAIN
from shared.voice.flows.walk import walk

_logger: Final = logging.getLogger(__name__)
LAST_TRY: Final = 2.0
"""seconds for each part of a turn's record, when it is rather given without it than not at all"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One webhook of a call in a flow, verified and read."""

    flow: str
    turn: Turn
    delivery_id: str
    form: Form


class Desk:
    """Answers each turn; what it puts on record twice, as Twilio may ask twice, is there once."""

    def __init__(self, *, rules: Rules, log: DeliveryLog, queue: Queue, clock: Callable[[], datetime]) -> None:
        self._rules = rules
        self._log = log
        self._queue = queue
        self._clock = clock

    async def answer(self, visit: Visit) -> str:
        """Return the document for a turn, once what happened in it is on record.

        On the last try the document is given without the record, rather than none.

        Raises:
            azure.core's errors: it is not on record; the turn should be tried again.
        """
        flow = self._rules.flows.find(visit.flow)
        if flow is None:
            about(_logger, visit.delivery_id).error("its flow is gone: %s", visit.flow)
            return gone()
        last = visit.turn.again >= MOST_AGAIN
        try:
            async with asyncio.timeout(LAST_TRY if last else None):
                delivery = await self._log.get(visit.delivery_id)
        except (AzureError, TimeoutError):
            # what the texts say comes from the record, where the flow declares values
            if not last or flow.values:
                raise
            delivery = None
        walked = walk(flow, self._call(visit, flow, delivery), visit.turn, self._world())
        for happened in walked.happened:
            if "problem" in happened.what:
                about(_logger, visit.delivery_id).error("a call flow: %s", happened.what)
        try:
            async with asyncio.timeout(LAST_TRY if last else None):
                await self._keep(visit, delivery, walked)
        except (AzureError, TimeoutError) as exc:
            if not last:
                raise
            about(_logger, visit.delivery_id).error("a turn of its call is not on record: %s", type(exc).__name__)
        return walked.twiml

    async def _keep(self, visit: Visit, delivery: Delivery | None, walked: Walked) -> None:
        sid = _sid(visit, delivery)
        if delivery is not None and not delivery.erased:
            now = self._clock()
            for happened in walked.happened:
                key = f"{sid}:flow:{happened.key}"
                event = Event(key=key, kind="flow", status=delivery.status, at=now, raw=dict(happened.what))
                await self._log.note(delivery, event)
        for text in walked.texts:
            await self._queue.put(internal.write(_request(text, sid=sid, origin=visit.delivery_id)))

    def _call(self, visit: Visit, flow: Flow, delivery: Delivery | None) -> Call:
        told = visit.form
        outbound = delivery is not None and delivery.direction == "outbound"
        # what a dialled leg asks for tells that leg's own ends, and the call is the delivery's
        known = delivery if outbound or visit.turn.part in {"whisper", "screen"} else None
        return Call(
            sid=_sid(visit, delivery),
            delivery_id=visit.delivery_id,
            caller=(known and known.from_) or told.get("From") or "",
            called=(known and known.to) or told.get("To") or "",
            outbound=outbound,
            data=self._data(flow, delivery) if delivery is not None else {},
        )

    def _data(self, flow: Flow, delivery: Delivery) -> Mapping[str, Any]:
        if not flow.values or delivery.request is None:
            return {}
        try:
            return check_data(flow, decode(delivery.request, self._rules).request.data or {})
        except RequestInvalid as exc:
            about(_logger, delivery.id).error("the values of its request do not fit its flow any more: %s", exc)
            return {}

    def _world(self) -> World:
        settings = self._rules.settings
        return World(
            now=self._clock(),
            base_url=settings.public_base_url,
            may_dial=self._may_dial,
            default_from=settings.from_number,
            max_call_seconds=settings.max_call_seconds,
            starts={other.name: other.start for other in self._rules.flows},
        )

    def _may_dial(self, address: str) -> bool:
        allowed = self._rules.settings.allowed_countries
        return allowed is None or not address.startswith("+") or country(address) in allowed


def _sid(visit: Visit, delivery: Delivery | None) -> str:
    if delivery is not None and delivery.sid is not None:
        return delivery.sid
    return visit.form.get("ParentCallSid") or visit.form.get("CallSid") or visit.delivery_id


def _request(text: TextToSend, *, sid: str, origin: str) -> internal.Derived:
    request = {"channel": "sms", "to": text.to, "body": text.body}
    return internal.Derived(id=f"{sid}~{text.key}", origin=origin, request=request)
