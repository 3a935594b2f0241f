"""Calls, begun and changed: the way from the REST API and the control endpoints to the lives of calls."""

from typing import Any

from local.twilio.call_life import CallLife, Plan
from local.twilio.calls import ENDED, Call, CallOrder
from local.twilio.dates import now
from local.twilio.dialled import Dialled
from local.twilio.errors import RestError
from local.twilio.forms import new_sid
from local.twilio.leg import DialOrder, Leg
from local.twilio.network import Network
from local.twilio.people import Act
from local.twilio.twiml import Source
from local.twilio.twiml.verbs import VERBS


class Exchange:
    """The calls that live at the moment."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._lives: dict[str, CallLife] = {}

    def dial(self, order: CallOrder) -> Call:
        """Take an outbound call over: it is remembered as queued, and its life begins."""
        plan = Plan(
            source=order.source,
            fallback=order.fallback,
            status_callback=order.status_callback,
            events=order.events,
            time_limit=order.time_limit,
            ring_limit=order.ring_limit,
            detection=order.detection,
            recording=order.recording,
            person=self._network.people.at(order.to),
        )
        call = self._remember(to=order.to, from_=order.from_, direction="outbound-api", status="queued")
        self._begin(CallLife(self._network, call.sid, plan, switch=self, verbs=VERBS))
        return call

    def receive(
        self, *, from_: str, to: str, plan: Plan, forwarded_from: str | None = None, caller_name: str | None = None
    ) -> Call:
        """Let somebody call the app's number: it rings until the first TwiML is there."""
        call = self._remember(
            to=to,
            from_=from_,
            direction="inbound",
            status="ringing",
            forwarded_from=forwarded_from,
            caller_name=caller_name,
        )
        self._begin(CallLife(self._network, call.sid, plan, switch=self, verbs=VERBS))
        return call

    def dial_out(self, parent: Leg, order: DialOrder) -> Dialled:
        """Call somebody for a call that lives."""
        call = self._remember(
            to=order.to, from_=order.from_, direction="outbound-dial", status="queued", parent_sid=parent.sid
        )
        person = self._network.people.at(order.to)
        child = Dialled(self._network, call.sid, order, parent=parent, person=person, switch=self, verbs=VERBS)
        self._begin(child)
        return child

    def act(self, call: Call, *acts: Act) -> None:
        """Have the person at a call's end do something more; ValueError where the call has ended."""
        life = self._lives.get(call.sid)
        if life is None or call.status in ENDED:
            raise ValueError("expected a call that lives, but this one has ended")
        life.give(*acts)

    def end(self, call: Call, *, status: str) -> Call:
        """Hang up or cancel; RestError 21220 for a call that ended, or was answered and is to be canceled."""
        life = self._lives.get(call.sid)
        if life is None or call.status in ENDED or (status == "canceled" and call.status == "in-progress"):
            raise RestError(21220)
        return life.hang_up()

    def redirect(self, call: Call, source: Source, *, fallback: Source | None) -> Call:
        """Send a call that is in progress to another document; RestError 21220 in any other state."""
        life = self._lives.get(call.sid)
        if life is None or call.status != "in-progress":
            raise RestError(21220, "Call is not in-progress. Cannot redirect.")
        return life.redirect(source, fallback=fallback)

    def is_over(self, call: Call) -> bool:
        """Whether nothing more will happen to a call, its last callback included."""
        return call.sid not in self._lives

    def _remember(
        self,
        *,
        to: str,
        from_: str,
        direction: str,
        status: str,
        **more: Any,  # noqa: ANN401 - the fields of a call are of any type
    ) -> Call:
        moment = now()
        call = Call(
            sid=new_sid("CA"),
            account_sid=self._network.account.sid,
            to=to,
            from_=from_,
            direction=direction,
            status=status,
            history=((status, moment),),
            created=moment,
            updated=moment,
            started=moment if direction == "inbound" else None,
            **more,
        )
        self._network.calls.add(call)
        self._network.touch()
        return call

    def _begin(self, life: CallLife) -> None:
        self._lives[life.sid] = life
        self._network.begin(self._until_it_ends(life), name=life.sid)

    async def _until_it_ends(self, life: CallLife) -> None:
        try:
            await life.live()
        finally:
            del self._lives[life.sid]
            self._network.touch()
