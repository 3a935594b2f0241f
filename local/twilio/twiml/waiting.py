"""Waiting with music, in a queue or before a conference: the document is played again and again.

A caller with nothing left to do but wait hears it ever more seldom, so that simulated time, which can be
compressed to nothing, makes no flood of requests.
"""

from collections.abc import Callable, Mapping
from itertools import count

import msgspec

from local.twilio.leg import Leg
from local.twilio.presence import Interrupted
from local.twilio.twiml.document import Heard, Source
from local.twilio.twiml.places import Exit, Place

HOLD_MUSIC = Source(url="https://s3.amazonaws.com/com.twilio.sounds.music/index.xml", method="GET")
SHORTEST_ROUND_SECONDS = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 2.0


async def rounds(
    line: Leg, music: Source | None, place: Place, *, verb: str, told: Callable[[], Mapping[str, str]]
) -> Exit:
    """Play the document again and again, until it leaves, or until whatever ends the waiting is raised.

    `told` is what each request says. Twilio's own music is not fetched. A person's `wait` lets so many seconds pass,
    their `hang_up` comes between two rounds.
    """
    until = line.clock
    for number in count():
        began = line.clock
        left = await _round(line, music, place, told(), first=number == 0)
        if left is not None:
            return left
        act = line.peek(verb)
        while act is not None and act.kind in {"wait", "hang_up"} and line.clock >= until:
            line.take()
            if act.hang_up:
                raise Interrupted(None)
            until = line.clock + (act.wait or 0.0)
            act = line.peek(verb)
        if line.clock >= until and line.patience is None:
            await _idle(line, number)
        elif music is None or music is HOLD_MUSIC:
            await line.spend(until - line.clock if line.clock < until else line.patience or 0.0)
        elif line.clock - began < SHORTEST_ROUND_SECONDS:
            await line.spend(SHORTEST_ROUND_SECONDS)
    raise AssertionError("count() does not end")


async def _round(line: Leg, music: Source | None, place: Place, told: Mapping[str, str], *, first: bool) -> Exit | None:
    if music is None or music is HOLD_MUSIC:
        if music is not None and first:
            await line.hear(Heard(kind="played", what=HOLD_MUSIC.url or ""))
        line.check()
        return None
    return await line.play(msgspec.structs.replace(music, fields=tuple(told.items())), place)


async def _idle(line: Leg, number: int) -> None:
    """Let real time pass between two rounds, until the person does something or somebody comes."""
    pause = min(FIRST_PAUSE * 2 ** min(number, 10), LONGEST_PAUSE)
    before = line.todo
    await line.wait_for(lambda: line.todo != before, seconds=pause, scaled=False)
