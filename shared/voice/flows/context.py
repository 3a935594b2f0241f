"""One turn of a call while the walk answers it: its inputs, its TwiML so far, and its events and texts so far. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from twilio.twiml.voice_response import VoiceResponse

from shared.text.templates.engine import RenderingFailed, Text
from shared.text.templates.plain import Plain
from shared.voice.flows.model import Flow, Speech, Step
from shared.voice.flows.texts import CALLED, CALLER, INPUT, POSITION, SETTING
from shared.voice.flows.turn import Call, Happened, Part, TextToSend, Turn, World, whole_number
from shared.voice.flows.urls import flow_url
from shared.voice.twiml import writable

_KEY_STEP: Final = 40
"""characters of a step's name in a key, which goes into ids of 100"""
LONGEST_SAID: Final = 4096
LONGEST_SAID_BY_POLLY: Final = 3000
"""characters of one Say: https://www.twilio.com/docs/voice/twiml/say"""


class Named:
    """Values that a text uses as `name.key`; a text that uses a missing key fails."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> str:
        """Return a value; a dictionary would answer `input.items` with a method of its own."""
        return self._values[name]


@dataclass(slots=True, kw_only=True)
class TurnContext:
    """One turn of a call: the current step, the answers of the caller so far, and the results so far."""

    flow: Flow
    call: Call
    turn: Turn
    world: World
    step: Step
    """the current step"""
    inputs: dict[str, str]
    """the keys or words of the caller, by the step that asked for them"""
    entered: int = 0
    """the number of steps that this turn entered"""
    response: VoiceResponse = field(default_factory=VoiceResponse)
    happened: list[Happened] = field(default_factory=list)
    texts: list[TextToSend] = field(default_factory=list)

    def later(self, part: Part = "enter", *, step: str | None = None, tries: int = 0, index: int = 0) -> Turn:
        """Return a turn after this one: of the current step, or of another."""
        count = self.turn.count + 1
        return Turn(
            step=step or self.step.name, part=part, tries=tries, index=index, count=count, inputs=dict(self.inputs)
        )

    def go(self, step: str | None) -> Turn | None:
        """Continue with a step; None ends the call."""
        if step is not None:
            return self.later(step=step)
        self.response.hangup()
        return None

    def url(self, part: Part, *, index: int = 0, tries: int = 0) -> str:
        """Return the URL of a later part of this step."""
        return self.url_of(self.later(part, tries=tries, index=index))

    def url_of(self, turn: Turn, *, flow: str | None = None) -> str:
        """Return the URL of a turn."""
        delivery = self.call.delivery_id
        if self.world.route is not None:
            return self.world.route(delivery, turn)
        return flow_url(self.world.base_url, flow=flow or self.flow.name, delivery=delivery, turn=turn)

    def key(self, kind: str) -> str:
        """Return the idempotency key of an event: the same for a repeated webhook, another for another turn."""
        return f"{self.turn.count}.{self.entered}-{self.step.name[:_KEY_STEP]}-{kind}"

    def tell(self, kind: str, **what: object) -> None:
        """Record an event of the current step; a value of None is left out."""
        given = {name: value for name, value in what.items() if value is not None}
        told = {"flow": self.flow.name, "step": self.step.name, **given}
        self.happened.append(Happened(key=self.key(kind), what=told))

    def write(self, text: Text | Plain, *, what: str) -> str:
        """Render a text with the values of this call; a text that fails is empty, and a problem is recorded."""
        try:
            return text.render(self._values())
        except RenderingFailed as exc:
            self.tell(f"problem-{len(self.happened)}", problem=f"{what} can not be written: {exc}")
            return ""

    def speak(self, host: Any, speech: Speech | None) -> None:  # noqa: ANN401 - the library has no type for a verb that takes a Say
        """Add a speech to a verb, or to the document itself."""
        if speech is None:
            return
        times = speech.times if speech.times != 1 else None
        said = self._said(speech.text, speech.voice) if speech.text is not None else ""
        if said:
            host.say(said, voice=written(speech.voice), language=written(speech.language), loop=times)
        if speech.play is not None:
            host.play(writable(speech.play), loop=times)

    def _said(self, text: Text | Plain, voice: str | None) -> str:
        said = writable(self.write(text, what="a text")).strip()
        longest = LONGEST_SAID_BY_POLLY if (voice or "").startswith("Polly.") else LONGEST_SAID
        if len(said) > longest:
            problem = f"expected a text of at most {longest} characters, got {len(said)}: the rest is not said"
            self.tell(f"problem-{len(self.happened)}", problem=problem)
        return said[:longest]

    def _values(self) -> dict[str, object]:
        defaults = {name: value.default for name, value in self.flow.values.items() if value.default is not None}
        position = whole_number(self.turn.form.get("QueuePosition"))
        return {
            **defaults,
            **self.call.data,
            CALLER: self.call.caller,
            CALLED: self.call.called,
            INPUT: Named(self.inputs),
            SETTING: Named(self.world.settings),
            **({POSITION: position} if position is not None else {}),
        }


def written(value: str | None) -> str | None:
    """Return the value of an attribute in characters that XML 1.0 allows; None leaves the attribute out."""
    return None if value is None else writable(value)
