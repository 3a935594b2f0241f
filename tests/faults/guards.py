"""What Twilio's lists and the servers before Twilio may do, and the guards of the app that this is to get past.

Each trial is run twice: with the app as it is, where every request must be sent once; and with the guard broken
(broken_guards.py), where the harness must notice.
"""

from collections.abc import Callable
from dataclasses import dataclass

from local.harness.backdrop import Backdrop
from local.harness.points import Recorder
from local.harness.requests import a_call, a_text
from local.harness.scene import Scene, scene
from local.harness.waiting import until
from local.twilio.lists import Lists
from tests.faults import broken_guards
from tests.faults.ways import Request, Scenario, scenario

REQUESTS = 12
EARLIER = 3
"""messages and calls that the recipient got before: a list holds more than what is looked for"""
UNDECIDED = frozenset({None, "submitting", "uncertain", "retrying", "scheduled"})
QUEUED_ALL_THE_TIME = 100.0
"""a pace at which Twilio keeps a message queued, without a DateSent, while a run lasts"""
REFUSALS = (302, 307, 400, 403, 404, 407, 408, 413, 425, 451)
"""what a proxy answers in the trial; a 401 holds the whole account back where it is believed"""

Prepare = Callable[[Scene], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One thing that may happen, and the guard that it needs; `copies` enqueues each request once more in the end."""

    sentence: str
    prepare: Prepare
    guard: Callable[[], None]
    pace: float = 0.1
    copies: bool = False


def _lost_answers(lists: Lists) -> Prepare:
    def prepare(scene: Scene) -> None:
        scene.twilio.lists = lists
        scene.twilio.faults.add("drop-after", times=REQUESTS)

    return prepare


def _proxies(scene: Scene) -> None:
    for status in REFUSALS:
        scene.twilio.faults.add("proxy-before", times=1, status=status)


TRIALS = (
    Trial(
        sentence="what is queued has no date and stands behind earlier messages",
        prepare=_lost_answers(Lists(undated="last")),
        pace=QUEUED_ALL_THE_TIME,
        guard=broken_guards.look_that_stops_at_the_first_older_one,
    ),
    Trial(
        sentence="a list is in the order of creation",
        prepare=_lost_answers(Lists(order="oldest-first")),
        guard=broken_guards.look_that_stops_at_the_first_older_one,
    ),
    Trial(
        sentence="each look has another order, over short pages",
        prepare=_lost_answers(Lists(order="adverse", seed=13)),
        guard=broken_guards.look_that_stops_at_the_first_older_one,
    ),
    Trial(
        sentence="a message is listed after the first look",
        prepare=_lost_answers(Lists(late=1, late_looks=1)),
        guard=broken_guards.one_look_only,
    ),
    Trial(
        sentence="an answer is lost",
        prepare=_lost_answers(Lists()),
        guard=broken_guards.no_look_before_resending,
    ),
    Trial(
        sentence="a proxy answers in Twilio's place",
        prepare=_proxies,
        guard=broken_guards.proxys_page_taken_for_a_refusal,
    ),
    Trial(
        sentence="a request comes again when it is over",
        prepare=lambda _: None,
        guard=broken_guards.claim_that_replaces_another,
        copies=True,
    ),
)


async def _sent(backdrop: Backdrop, trial: Trial, *, breaks: str = "") -> tuple[str, Scene]:
    """Run a trial; return how many requests were sent once, twice and not at all."""
    requests = [make() for make in (a_text, a_call) for _ in range(REQUESTS // 2)]
    async with scene(backdrop, hook=Recorder(), pace=trial.pace, breaks=breaks) as tried:
        # what Twilio tells of would end the doubt before the look
        tried.twilio.faults.callbacks(lose=1.0)
        for request in requests:
            for _ in range(EARLIER):
                tried.twilio.sent_before(request["channel"], to=request["to"])
        trial.prepare(tried)
        await tried.start()
        for _ in range(1 + trial.copies):
            for request in requests:
                await tried.enqueue(request)
            await until(lambda: _is_decided(tried, requests))
        sent = [min(tried.twilio.accepted()[request["id"]], 2) for request in requests]
        assert not tried.twilio.faults.followed
        return f"{sent.count(1)}, {sent.count(2)}, {sent.count(0)}", tried


async def _is_decided(tried: Scene, requests: list[Request]) -> bool:
    return await tried.is_quiet() and not UNDECIDED & {await tried.records.status(one["id"]) for one in requests}


def _intact(trial: Trial) -> Scenario:
    async def run(backdrop: Backdrop) -> None:
        counts, tried = await _sent(backdrop, trial)
        assert counts == f"{REQUESTS}, 0, 0", f"once, twice, lost: {counts}\n{tried.log.read_text()[-3000:]}"

    return run


def _broken(trial: Trial) -> Scenario:
    async def run(backdrop: Backdrop) -> None:
        breaks = f"{trial.guard.__module__}:{trial.guard.__name__}"
        counts, tried = await _sent(backdrop, trial, breaks=breaks)
        assert counts != f"{REQUESTS}, 0, 0", f"nobody noticed that it is broken\n{tried.log.read_text()[-3000:]}"

    return run


for one in TRIALS:
    broken = one.guard.__name__.replace("_", " ")
    scenario(f"all is sent once where {one.sentence}")(_intact(one))
    scenario(f"the harness notices a broken guard, {broken}, where {one.sentence}")(_broken(one))
