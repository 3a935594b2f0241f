"""Numbers: which are well formed, which Twilio's REST API refuses, and how texts to the others end.

Twilio's own test numbers: https://www.twilio.com/docs/iam/test-credentials
The numbers of the simulator itself are in the docstring of the package.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

E164 = re.compile(r"\+[1-9]\d{6,14}")
CHANNEL_ADDRESS = re.compile(r"[a-z]+:\S+")
SHORT_CODE = re.compile(r"\d{3,8}")
SENDER_ID = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
BY_CODE = re.compile(r"\+15008(?P<code>\d{5})(?P<how>\d)")

TEXT_FROM: Mapping[str, int] = MappingProxyType({"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611})
TEXT_TO: Mapping[str, int] = MappingProxyType(
    {
        "+15005550001": 21211,
        "+15005550002": 21612,
        "+15005550003": 21408,
        "+15005550004": 21610,
        "+15005550009": 21614,
    }
)
CALL_FROM: Mapping[str, int] = MappingProxyType({"+15005550001": 21212, "+15005550007": 21210, "+15005550008": 21210})
CALL_TO: Mapping[str, int] = MappingProxyType(
    {"+15005550001": 21217, "+15005550002": 21214, "+15005550003": 21215, "+15005550004": 21216}
)


@dataclass(frozen=True, slots=True)
class TextEnding:
    """How a message ends: its last status, with an error code where it did not arrive."""

    status: str
    error_code: int | None = None


DELIVERED = TextEnding("delivered")
TEXT_ENDINGS: Mapping[str, TextEnding] = MappingProxyType(
    {
        "+15005550101": TextEnding("undelivered", 30003),
        "+15005550102": TextEnding("undelivered", 30005),
        "+15005550103": TextEnding("failed", 30008),
        "+15005550104": TextEnding("failed", 21610),
        "+15005550105": TextEnding("sent"),
        "+15005550106": TextEnding("read"),
    }
)


def is_callable(address: str) -> bool:
    """Whether an address can be called or call: E.164, `client:` or `sip:`."""
    return bool(E164.fullmatch(address)) or address.startswith(("client:", "sip:"))


def is_textable(address: str) -> bool:
    """Whether an address can be texted: E.164, or a channel's address such as `whatsapp:+14155550100`."""
    return bool(E164.fullmatch(address) or CHANNEL_ADDRESS.fullmatch(address))


def is_sender(address: str) -> bool:
    """Whether an address can send texts: one that can be texted, a short code or an alphanumeric sender."""
    return is_textable(address) or bool(SHORT_CODE.fullmatch(address) or SENDER_ID.fullmatch(address))


def refusal(table: Mapping[str, int], address: str) -> int | None:
    """The code with which the REST API refuses a number, if it does."""
    number = bare(address)
    chosen = BY_CODE.fullmatch(number)
    if chosen and chosen["how"] == "9":
        return int(chosen["code"])
    return table.get(number)


def text_ending(to: str) -> TextEnding:
    """How a message to this recipient ends."""
    number = bare(to)
    chosen = BY_CODE.fullmatch(number)
    if chosen:
        return TextEnding("undelivered" if chosen["how"] == "1" else "failed", int(chosen["code"]))
    return TEXT_ENDINGS.get(number, DELIVERED)


def formatted(address: str) -> str:
    """A number for display: North American ones as `(415) 555-0100`, others as they are."""
    if re.fullmatch(r"\+1\d{10}", address):
        return f"({address[2:5]}) {address[5:8]}-{address[8:]}"
    return address


def country(address: str) -> str:
    """The country that webhooks name: `US` for +1, otherwise left blank, as where Twilio does not know."""
    return "US" if bare(address).startswith("+1") else ""


def bare(address: str) -> str:
    """The number within an address such as `whatsapp:+14155550100`."""
    return address.rpartition(":")[2]
