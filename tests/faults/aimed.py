"""One host that does the same for many: what it does for each is told apart, recorded, and ended for that one alone.

A run of many is then ended at each of its calls within one scene: at the first call for the one, at the second for the
next. Starting a host again costs a tenth of a scene.
"""

import base64
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

import aiohttp

from local.faults import PASS, Action, Answer, Seen
from local.harness.points import OWN_QUEUE, Call, Crash, Point, Recorder, Spoil, points
from local.harness.scene import Scene
from local.harness.waiting import until

SID = re.compile(r"(?:SM|MM|CA)[0-9a-f]{32}")
MESSAGE = re.compile(rb"<MessageText>([^<]+)</MessageText>")
READ = re.compile(r"table (?:get|query) |twilio GET ")
POLL = "queue get outbound"


@dataclass(slots=True)
class Aimed:
    """A hook that asks another one about each call: that of the delivery that the call is for, or `rest`."""

    rest: Recorder = field(default_factory=Recorder)
    refused: frozenset[str] = frozenset()
    """operations that the service has no time for at present"""
    _hooks: dict[str, Recorder] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _underway: dict[int, Recorder] = field(default_factory=dict)

    def know(self, delivery_id: str, *names: str) -> None:
        """Take calls that show the id, or another of its names, for calls for this delivery; its SIDs are learnt."""
        self._hooks.setdefault(delivery_id, Recorder())
        self._names.update(dict.fromkeys((delivery_id, *names), delivery_id))

    def aim(self, delivery_id: str, hook: Recorder) -> None:
        """Have this hook asked about the calls for a delivery from now on."""
        self._hooks[delivery_id] = hook

    async def before(self, request: Seen) -> Action:
        """Ask about a call."""
        if OWN_QUEUE.sub("outbound", request.operation) in self.refused:
            return Answer(503)
        hook = self._underway[id(request)] = self._hook_for(request)
        return await hook.before(request)

    async def after(self, request: Seen, status: int) -> Action:
        """Ask the same one."""
        hook = self._underway.pop(id(request), None)
        return PASS if hook is None else await hook.after(request, status)

    def _hook_for(self, request: Seen) -> Recorder:
        content = MESSAGE.sub(lambda found: base64.b64decode(found[1]), request.body)
        shown = unquote(request.target) + content.decode(errors="replace")
        owner = next((owner for name, owner in self._names.items() if name in shown), None)
        if owner is None:
            return self.rest
        self._names.update(dict.fromkeys(SID.findall(shown), owner))
        return self._hooks[owner]


def worth_ending(calls: Iterable[Call]) -> list[Point]:
    """Return the points of calls at which it matters that a host dies.

    One that dies after it read something leaves what one leaves that dies after the call before.
    """
    found = points([call for call in calls if call.operation != POLL], all_of_them=False)
    return [point for point in found if not READ.match(point.call.operation)]


def check_met(hooks: Collection[Crash | Spoil]) -> None:
    """Fail where many of the calls that were aimed at did not come.

    On a busy machine the SDKs make some calls again, in a recording as well: the next run may have fewer of them.
    """
    met = sum(hook.met for hook in hooks)
    assert met >= len(hooks) * 0.8, f"only {met} of {len(hooks)} points were met"


async def ask(scene: Scene, method: str, path: str) -> int | None:
    """Ask the host for something; return the status of its answer, None where none came."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session,
            session.request(method, f"{scene.url}/api/{path}") as answer,
        ):
            return answer.status
    except (aiohttp.ClientError, TimeoutError):
        return None


async def ask_again(scene: Scene, method: str, path: str) -> int:
    """Ask until an answer comes, as one does who got none; one that says that all is well, or never will be."""
    answers: list[int] = []

    async def is_answered() -> bool:
        status = await ask(scene, method, path)
        answers.extend(() if status in {None, 503} else (status or 0,))
        return bool(answers)

    await until(is_answered)
    return answers[0]


async def all_quiet(scene: Scene, ids: Iterable[str], *, sent: int) -> None:
    """Wait until Twilio has accepted each of them so often, has said all, and there is no message left."""

    async def is_sent() -> bool:
        return all(scene.twilio.accepted()[one] >= sent for one in ids)

    await until(is_sent)
    await scene.told()
    await until(scene.is_quiet)
    await scene.told()
