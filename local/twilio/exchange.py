"""Calls, begun and changed: the way from the REST API and the control endpoints to the lives of calls."""

from local.twilio.call_life import CallLife, Plan
from local.twilio.calls import ENDED, Call, CallOrder
from local.twilio.dates import now
from local.twilio.errors import RestError
from local.twilio.forms import new_sid
from local.twilio.network import Network
from local.twilio.numbers import call_ending
from local.twilio.twiml import Source


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
            detect_machine=order.detect_machine,
            recording=order.recording,
            ending=call_ending(order.to),
        )
        return self._begin(to=order.to, from_=order.from_, direction="outbound-api", status="queued", plan=plan)

    def receive(self, *, from_: str, to: str, plan: Plan) -> Call:
        """Let somebody call the app's number: it rings until the first TwiML is there."""
        return self._begin(to=to, from_=from_, direction="inbound", status="ringing", plan=plan)

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

    def _begin(self, *, to: str, from_: str, direction: str, status: str, plan: Plan) -> Call:
        moment = now()
        call = self._network.calls.add(
            Call(
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
            )
        )
        life = self._lives[call.sid] = CallLife(self._network, call.sid, plan)
        self._network.begin(self._until_it_ends(life, call.sid), name=call.sid)
        return call

    async def _until_it_ends(self, life: CallLife, sid: str) -> None:
        try:
            await life.live()
        finally:
            del self._lives[sid]
