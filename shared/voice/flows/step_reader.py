"""The values in a step's table: speech, texts, URLs, names and keys. Each is read, and its faults noted. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from shared.text.templates.engine import Text
from shared.toml.lines import Path
from shared.toml.sheet import Sheet
from shared.voice.flows import fields
from shared.voice.flows.model import Speech
from shared.voice.flows.texts import Texts

NAME: Final = re.compile(r"(?=.{1,64}$)[a-z0-9]+([_-][a-z0-9]+)*")
"""of a flow and a step: a URL carries both"""
_QUEUE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LONGEST_URL: Final = 2000
_POLLY: Final = "Polly."
_LONGEST_SAID: Final = 4096
_LONGEST_POLLY: Final = 3000
"""characters of a Say: https://www.twilio.com/docs/api/errors/13521"""


@dataclass(frozen=True, slots=True)
class StepReader:
    """Reads the table of one step; `voice` and `language` are the defaults of everything that the step says."""

    sheet: Sheet
    texts: Texts
    path: Path
    voice: str | None = None
    language: str | None = None

    def fault(self, key: str, problem: str) -> None:
        """Note what is wrong with a key of this step."""
        self.sheet.fault((*self.path, key), problem)

    def speech(self, key: str, given: str | Mapping[str, Any], *, position: bool = False) -> Speech:
        """Read `"text"`, `{ say = … }` or `{ play = … }`."""
        if isinstance(given, str):
            return self.said((*self.path, key), fields.Speech(say=given), position=position)
        path = (*self.path, key)
        table = self.sheet.struct(path, given, fields.Speech)
        if table is None:
            return Speech()
        if (table.say is None) == (table.play is None):
            self.sheet.fault(path, "expected say or play, one of them")
            return Speech()
        if table.play is not None:
            return self.played((*path, "play"), table.play, times=table.times)
        return self.said((*path, "say"), table, position=position)

    def maybe_speech(self, key: str, given: str | Mapping[str, Any] | None, *, position: bool = False) -> Speech | None:
        """Read a speech that may be left out."""
        return None if given is None else self.speech(key, given, position=position)

    def said(self, path: Path, given: fields.Speech, *, position: bool = False) -> Speech:
        """Read a text that is spoken."""
        voice = given.voice or self.voice
        longest = _LONGEST_POLLY if voice and voice.startswith(_POLLY) else _LONGEST_SAID
        text = self.texts.read(path, given.say or "", longest=longest, position=position)
        return Speech(text=text, voice=voice, language=given.language or self.language, times=given.times)

    def played(self, path: Path, url: str, *, times: int) -> Speech:
        """Read a sound file. Its language is that of the answer to it, where a Gather takes speech."""
        return Speech(play=self.url(path, url), language=self.language, times=times)

    def url(self, path: Path, url: str) -> str:
        """Check an http(s) URL."""
        if not is_url(url):
            self.sheet.fault(path, f"expected an http:// or https:// URL of at most {_LONGEST_URL} characters")
        return url

    def maybe_url(self, key: str, url: str | None) -> str | None:
        """Check a URL that may be left out."""
        return None if url is None else self.url((*self.path, key), url)

    def text(self, key: str, source: str, *, longest: int) -> Text:
        """Read a text that is not spoken."""
        return self.texts.read((*self.path, key), source, longest=longest)

    def queue(self, key: str, name: str) -> str:
        """Check the name of a queue: https://www.twilio.com/docs/voice/twiml/enqueue#nouns."""
        if not _QUEUE.fullmatch(name):
            self.fault(key, "expected the name of a queue: at most 64 letters, digits and _.-")
        return name

    def keys(self, key: str, given: str, *, most: int) -> str:
        """Check keys of a telephone, of which there may be none."""
        if not re.fullmatch(rf"[0-9*#]{{0,{most}}}", given):
            wanted = "one key of 0-9, * and #" if most == 1 else "keys of 0-9, * and #"
            self.fault(key, f'expected {wanted}, or ""')
        return given


def is_url(url: str) -> bool:
    """Whether it is an http(s) URL that Twilio can be given."""
    if len(url) > _LONGEST_URL or not url.isprintable() or " " in url:
        return False
    try:
        split = urlsplit(url)
    except ValueError:
        return False
    return split.scheme in {"http", "https"} and bool(split.hostname)
