"""One template: its texts by locale, the values that they take, and rendering. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.errors import Fault, RequestInvalid
from shared.text import segments
from shared.text.templates.engine import RenderingFailed, Text
from shared.text.templates.rendered import LONGEST, Channel, Rendered
from shared.text.templates.values import Checked, Declared, read_data

_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")


@dataclass(frozen=True, slots=True)
class Variant:
    """A template in one locale; `voice` and `language` are those of a call."""

    locale: str
    text: Text
    voice: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template as its file has it; the first of its variants is the default."""

    name: str
    channels: tuple[Channel, ...]
    plain: bool
    values: Mapping[str, Declared]
    variants: tuple[Variant, ...]

    def variant(self, locale: str | None) -> Variant:
        """Return the variant for a locale: `de-AT` itself, else `de`, else the default."""
        known = {variant.locale.lower(): variant for variant in self.variants}
        wanted = (locale or "").lower().replace("_", "-")
        while wanted:
            if wanted in known:
                return known[wanted]
            wanted = wanted.rpartition("-")[0]
        return self.variants[0]

    def render(self, *, channel: Channel, data: Mapping[str, object], locale: str | None) -> Rendered:
        """Write the text for a request.

        Raises:
            RequestInvalid: these values, this channel or this locale don't fit; every fault is named.
        """
        values, faults = read_data(self.values, data)
        if channel not in self.channels:
            faults.append(self._fault(f"is for {' and '.join(self.channels)}, and this is {channel}"))
        if locale is not None and not _LOCALE.fullmatch(locale):
            faults.append(Fault("locale", "expected a locale such as de or de-AT"))
        if faults:
            raise RequestInvalid("it can't be sent", faults)
        variant = self.variant(locale)
        text = self._write(variant, values, channel)
        if channel == "sms":
            return Rendered(text=text, locale=variant.locale)
        return Rendered(text=text, locale=variant.locale, voice=variant.voice, language=variant.language)

    def _write(self, variant: Variant, values: Mapping[str, Checked], channel: Channel) -> str:
        try:
            text = variant.text.render(values)
        except RenderingFailed as exc:
            raise RequestInvalid("it can't be sent", [self._fault(f"in {variant.locale}: {exc}")]) from exc
        simple = segments.plain(text) if self.plain and channel == "sms" else text
        if len(simple) <= LONGEST[channel]:  # three dots are longer than the ellipsis that they stand for
            text = simple
        if not 0 < len(text) <= LONGEST[channel]:
            problem = f"in {variant.locale}: expected 1 to {LONGEST[channel]} characters, got {len(text)}"
            raise RequestInvalid("it can't be sent", [self._fault(problem)])
        return text

    def _fault(self, problem: str) -> Fault:
        return Fault("template", f"{self.name} {problem}")
