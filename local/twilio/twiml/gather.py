"""Gather: keys and words. https://www.twilio.com/docs/voice/twiml/gather."""

from xml.etree import ElementTree as ET

import msgspec

from local.twilio.leg import Leg
from local.twilio.twiml.attributes import action, names, whole, yes
from local.twilio.twiml.places import Exit
from local.twilio.twiml.schema import usable
from local.twilio.twiml.speaking import pause, play, say

PROMPTS = {"Say": say, "Play": play, "Pause": pause}
TIMEOUT_SECONDS = 5
NO_LIMIT = 1_000_000


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a Gather asks for."""

    inputs: frozenset[str]
    timeout: int
    most: int
    end: str

    @property
    def acts(self) -> frozenset[str]:
        """What a person can do that it hears."""
        keys, words = {"press"} if "dtmf" in self.inputs else set(), {"say"} if "speech" in self.inputs else set()
        return frozenset(keys | words)

    def typed(self, keys: str) -> tuple[str, bool]:
        """The digits among keys, and whether they are complete."""
        digits, end, _ = keys.partition(self.end) if self.end else (keys, "", "")
        return digits[: self.most], bool(end) or len(digits) >= self.most


async def gather(line: Leg, element: ET.Element) -> Exit | None:
    """Prompt, listen, and go on at the action with what came; without anything, with the next verb."""
    wanted = _wanted(element)
    target = action(element, base=line.url)
    await _prompt(line, element, wanted)
    fields = await _listen(line, wanted)
    if not any(fields.values()):
        if not yes(element, "actionOnEmptyResult"):
            return None
        fields = {"Digits": ""} if "dtmf" in wanted.inputs else {"SpeechResult": ""}
    return Exit(to=msgspec.structs.replace(target, fields=tuple(fields.items())))


async def _prompt(line: Leg, element: ET.Element, wanted: Wanted) -> None:
    breaking = wanted.acts if yes(element, "bargeIn", default=True) else wanted.acts - {"say"}
    with line.breakable(breaking):
        for prompt in usable(element):
            await PROMPTS[prompt.tag](line, prompt)
            if line.broken_off:
                return


async def _listen(line: Leg, wanted: Wanted) -> dict[str, str]:
    keys = ""
    while True:
        act = await line.next_act("Gather", seconds=wanted.timeout, hears=wanted.acts)
        if act is not None and act.say is not None and not keys:
            return {"SpeechResult": act.say, "Confidence": str(act.confidence)}
        keys += (act.press or "").replace("w", "") if act is not None else ""
        digits, complete = wanted.typed(keys)
        if complete:
            return {"Digits": digits}
        if act is None or not line.person.live:
            # Whoever follows a script presses no more than one act's keys here.
            await line.spend(wanted.timeout if act is not None else 0)
            return {"Digits": digits}


def _wanted(element: ET.Element) -> Wanted:
    return Wanted(
        inputs=names(element, "input", default="dtmf"),
        timeout=whole(element, "timeout", default=TIMEOUT_SECONDS),
        most=whole(element, "numDigits", default=NO_LIMIT) or NO_LIMIT,
        end=element.get("finishOnKey", "#"),
    )
