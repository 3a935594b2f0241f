"""What the parameters of a twimlet mean: speech, numbers, URLs and seconds, with what is wrong in them noted. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.text.numbers import NumberInvalid, to_e164
from shared.text.templates.engine import Text
from shared.text.templates.plain import Plain
from shared.voice.flows.kinds.hangup import Hangup
from shared.voice.flows.kinds.redirect import Redirect
from shared.voice.flows.model import Action, Flow, Speech, Step
from shared.voice.flows.step_reader import is_url
from shared.voice.flows.turn import Call, whole_number
from shared.voice.twimlets.parameters import Parameters

FLOW: Final = "twimlets/{name}"
"""what the flow of a twimlet is called on record; a slash stands in no other flow's name"""
SORRY: Final = "We are sorry. This number is not set up as it should be. Please call again later."
LONGEST_TIMEOUT: Final = 600
"""seconds: https://www.twilio.com/docs/voice/twiml/dial#timeout"""
_LONGEST_WORD: Final = 100
_NAME_SHOWN: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Twimlet:
    """A twimlet as a URL asks for it."""

    name: str
    parameters: Parameters
    region: str
    """ISO country of numbers that are written without +"""

    @property
    def flow(self) -> str:
        """The name of its flow."""
        return FLOW.format(name=self.name[:_NAME_SHOWN])


@dataclass(slots=True, kw_only=True)
class Reading:
    """A twimlet while it is read, for one call. `problems` are what an operator must mend; they show no value."""

    twimlet: Twimlet
    call: Call
    base_url: str
    dialled: str | None = None
    """DialCallStatus, where the URL says that it is the `action` of a Dial in TwiML from elsewhere"""
    problems: list[str] = field(default_factory=list)

    @property
    def parameters(self) -> Parameters:
        """What the URL brought."""
        return self.twimlet.parameters

    def flow(self, steps: Mapping[str, Action]) -> Flow:
        """Return a flow of these steps, which begins with the first of them."""
        made = {name: Step(name=name, line=0, action=action) for name, action in steps.items()}
        return Flow(name=self.twimlet.flow, start=next(iter(made)), steps=made)

    def sorry(self, problem: str) -> Flow:
        """Note why it can't do its work, and return a flow that says so."""
        self.problems.append(problem)
        return self.flow({"sorry": Hangup(say=self.said(SORRY))})

    def said(self, text: str | Text) -> Speech:
        """Return words of ours, or of a parameter, in the voice of this twimlet."""
        voice, language = self.parameters.text("Voice"), self.parameters.text("Language")
        return Speech(
            text=Plain(text) if isinstance(text, str) else text,
            voice=voice and voice.strip()[:_LONGEST_WORD],
            language=language and language.strip()[:_LONGEST_WORD],
        )

    def speech(self, given: str) -> Speech:
        """Return a message: what starts with http:// or https:// is played, anything else said."""
        url = http_url(given)
        return Speech(play=url) if url is not None else self.said(given)

    def message(self, default: str | Text) -> Speech:
        """Return Message, or what stands for it."""
        given = self.parameters.text("Message")
        return self.said(default) if given is None else self.speech(given)

    def elsewhere(self, given: str) -> Redirect | None:
        """Return a redirect to another URL; None for one that is no http(s) URL.

        The originals redirected, and what comes after that is a GET, which a sound file somewhere may need; this app's
        own routes are posted to.
        """
        url = http_url(given)
        if url is None:
            return None
        return Redirect(url=url, method="POST" if url.startswith(f"{self.base_url}/") else "GET")

    def fail_url(self) -> Redirect | None:
        """Return where the call goes that nobody took."""
        given = self.parameters.text("FailUrl")
        redirect = None if given is None else self.elsewhere(given)
        if given is not None and redirect is None:
            self.problems.append("expected FailUrl to be an http(s) URL, got another text")
        return redirect

    def numbers(self, name: str) -> tuple[str, ...]:
        """Return numbers in E.164, each once; what is no number is noted, and left out."""
        found: dict[str, None] = {}
        for given in self.parameters.texts(name):
            number = _number(given, region=self.twimlet.region)
            if number is None:
                self.problems.append(f"expected {name} to be a phone number, got another text")
            else:
                found[number] = None
        return tuple(found)

    def timeout(self, default: int) -> int:
        """Return Timeout, in seconds."""
        given = self.parameters.text("Timeout")
        seconds = default if given is None else whole_number(given.strip())
        if seconds is None or not 1 <= seconds <= LONGEST_TIMEOUT:
            self.problems.append(f"expected Timeout to be 1 to {LONGEST_TIMEOUT} seconds, got another text")
            return default
        return seconds


def http_url(given: str) -> str | None:
    """Return an http(s) URL as Twilio can be given it; None for anything else."""
    url = given.strip().replace(" ", "%20")
    return url if is_url(url) else None


def _number(given: str, *, region: str) -> str | None:
    """A + that was not escaped in the URL came as a space."""
    bare = given.strip()
    for written in (bare, f"+{bare}") if given.startswith(" ") else (bare,):
        try:
            return to_e164(written, region=region)
        except NumberInvalid:
            continue
    return None
