"""Conference: a room for many. https://www.twilio.com/docs/voice/twiml/conference."""

from xml.etree import ElementTree as ET

from local.twilio.bridge import SILENT_SECONDS
from local.twilio.conferences import Begun, Conference, Member
from local.twilio.dates import now, rfc2822
from local.twilio.leg import Leg
from local.twilio.presence import Interrupted
from local.twilio.twiml.attributes import names, source, text, yes
from local.twilio.twiml.document import Source, TwimlError
from local.twilio.twiml.places import CONFERENCE_WAIT
from local.twilio.twiml.waiting import HOLD_MUSIC, rounds
from local.twilio.webhooks import Hook, HookError

EVENTS = {
    "start": "conference-start",
    "end": "conference-end",
    "join": "participant-join",
    "leave": "participant-leave",
}


async def confer(line: Leg, element: ET.Element, *, star: bool) -> None:
    """Be in a conference until it ends, or this participant presses the star; Interrupted where they hang up."""
    room = _room(line, element)
    member = Member(
        leg=line,
        starts=yes(element, "startConferenceOnEnter", default=True),
        ends=yes(element, "endConferenceOnExit"),
        muted=yes(element, "muted"),
        live=line.person.live,
    )
    begins = room.join(member)
    line.did("joined", room.name)
    try:
        await _tell(line, room, "join", **member.fields())
        if begins:
            await _tell(line, room, "start")
        await _wait(line, room, member, _music(line, element))
        await _talk(line, room, member, star=star)
    finally:
        over = room.leave(member)
        if over and line.network.conferences.get(room.name) is room:
            del line.network.conferences[room.name]
        line.network.touch()
        await _part(line, room, member, last=not room.members)


def _room(line: Leg, element: ET.Element) -> Conference:
    name = text(element)
    room = line.network.conferences.setdefault(name, Conference(name=name))
    callback = source(element, "statusCallback", base=line.url, method_name="statusCallbackMethod")
    if room.callback is None and callback is not None:
        room.callback, room.events = callback, names(element, "statusCallbackEvent", default="")
    return room


def _music(line: Leg, element: ET.Element) -> Source | None:
    if element.get("waitUrl") is None:
        return HOLD_MUSIC
    return source(element, "waitUrl", base=line.url, method_name="waitMethod")


async def _wait(line: Leg, room: Conference, member: Member, music: Source | None) -> None:
    """Hear music until the conference begins, or ends without that."""
    if room.started or room.ended:
        return
    member.waiting = True
    fields = {"ConferenceSid": room.sid, "FriendlyName": room.name}
    try:
        while True:
            try:
                await rounds(line, music, CONFERENCE_WAIT, verb="Conference", told=lambda: fields)
            except (HookError, TwimlError) as exc:
                line.note(exc.code, str(exc), music.url if music is not None else None)
                music = HOLD_MUSIC
    except Begun:
        pass
    finally:
        member.waiting = False


async def _talk(line: Leg, room: Conference, member: Member, *, star: bool) -> None:
    while not room.ended:
        act = line.peek("Conference")
        if act is None or (act.press is not None and not (member.live or act.at or (star and "*" in act.press))):
            await _listen(line, room, member)
            continue
        member.idle = False
        line.take()
        if act.hang_up:
            raise Interrupted(None)
        if act.say is not None or act.press is not None:
            room.hear(member, act.press or act.say or "")
        await line.spend(act.lasts)
        if star and "*" in (act.press or ""):
            return


async def _listen(line: Leg, room: Conference, member: Member) -> None:
    """Listen, as long as anything comes from anybody; where nothing does, hang up after some silence."""
    if line.patience is not None and any(other.live for other in room.members):
        await line.spend(line.patience)
    member.idle = not member.live
    room.nudge()
    before = line.todo
    await line.wait_for(lambda: room.ended or room.all_idle() or line.todo != before)
    if not room.ended and room.all_idle():
        await line.spend(SILENT_SECONDS if line.patience is None else line.patience)
        raise Interrupted(None)


async def _part(line: Leg, room: Conference, member: Member, *, last: bool) -> None:
    await _tell(line, room, "leave", **member.fields(), ParticipantCallStatus=line.call.status)
    if last:
        ended_by = "participant-with-end-conference-on-exit-left" if room.ender else "last-participant-left"
        await _tell(line, room, "end", CallSidEndingConference=room.ender or line.sid, ReasonConferenceEnded=ended_by)


async def _tell(line: Leg, room: Conference, event: str, **more: str) -> None:
    if room.callback is None or event not in room.events:
        return
    fields = {
        "AccountSid": line.call.account_sid,
        "ConferenceSid": room.sid,
        "FriendlyName": room.name,
        "SequenceNumber": str(next(room.sequence)),
        "StatusCallbackEvent": EVENTS[event],
        "Timestamp": rfc2822(now()),
    }
    hook = Hook(
        url=room.callback.url or "", fields=tuple((fields | more).items()), method=room.callback.method, voice=True
    )
    await line.network.mail().post(hook)
