"""Ringing somebody's telephone, or several at once: the first to answer, and to listen to the whisper, wins."""

import contextlib
from collections.abc import Iterator
from functools import partial

from local.twilio.leg import Child, DialOrder, Leg

# What is told of several who were called in vain: the first of these that happened.
WORST_FIRST = ("no-answer", "busy", "failed", "canceled")


async def ring(line: Leg, orders: list[DialOrder], told: dict[str, str]) -> Child | None:
    """Call all of them; returns who is to be talked to, or None. `told` learns of the call, and how it ended."""
    children = []
    for order in orders:
        children.append(line.switch.dial_out(line, order))
        line.did("dialed", order.to)
    with _hung_up(children) as winners:
        await line.wait_for(lambda: all(child.rang or child.settled for child in children))
        winner = await _scripted(line, children, limit=orders[0].timeout)
        if winner is None:
            await line.wait_for(lambda: any(child.accepted for child in children) or _all_settled(children))
            winner = next((child for child in children if child.accepted), None)
        winners.extend([winner] if winner is not None else [])
    told["DialCallSid"] = (winner or children[-1]).leg.sid
    if winner is None:
        told["DialCallStatus"] = _status(children)
    return winner


async def _scripted(line: Leg, children: list[Child], *, limit: int) -> Child | None:
    """Let those who do as they were told answer or not, in the order of time."""
    rung = 0.0
    scripted = [child for child in children if child.leg.person.answers != "live" and not child.settled]
    for child in sorted(scripted, key=lambda child: child.leg.person.rings):
        rings = child.leg.person.rings
        await line.spend(min(rings, limit) - rung)
        rung = min(rings, limit)
        if rings > limit:
            child.give_up()
        else:
            child.pick_up()
        await line.wait_for(partial(getattr, child, "settled"))
        if child.accepted:
            return child
    return None


def _all_settled(children: list[Child]) -> bool:
    return all(child.settled for child in children)


def _status(children: list[Child]) -> str:
    # Who answered, but hung up before the conversation, did not answer it.
    statuses = {child.leg.call.status for child in children}
    statuses = {"no-answer" if status == "completed" else status for status in statuses}
    return next((status for status in WORST_FIRST if status in statuses), "failed")


@contextlib.contextmanager
def _hung_up(children: list[Child]) -> Iterator[list[Child]]:
    """Hang up on everybody in the end but the winners."""
    winners: list[Child] = []
    try:
        yield winners
    finally:
        for child in children:
            if child not in winners:
                child.leg.hang_up()
