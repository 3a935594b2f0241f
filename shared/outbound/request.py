"""A send request: its fields, its JSON Schema, and the rules that one field alone can break. Pure."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

LONGEST: Final = 30_000
"""characters of a request"""
LONGEST_ADDRESS: Final = 150
LONGEST_BODY: Final = 1600
"""characters of a text: https://www.twilio.com/docs/api/errors/21617"""
MOST_STEPS: Final = 5
"""ways to one recipient that a request can name, the first among them"""
VALID_FOR: Final = timedelta(hours=24)
"""how long a request may wait to be sent where it doesn't say"""

# `$` alone would let a line's end pass in Python, `\Z` is not known to JSON Schema
Id = Annotated[
    str,
    Meta(
        # the second half keeps out what is shaped like a Twilio SID: inbound messages and calls have theirs as id
        pattern=r"^(?![A-Z]{2}[0-9a-f]{32}$)[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$(?!\n)",
        description="Idempotency key: the same id with the same content is sent once, ever.",
    ),
]
Address = Annotated[str, Meta(min_length=1, max_length=LONGEST_ADDRESS)]
Url = Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"^https?://[^\s/?#]+\S*$(?!\n)")]
Moment = Annotated[datetime, Meta(tz=True)]


class Content(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is said, to whom and how: the fields that a request and each second way have in common."""

    channel: Annotated[Literal["sms", "call"], Meta(description="`sms` is any message, WhatsApp's too.")]
    from_: Annotated[Address, Meta(description="Sender; left out, the default one.")] | None = msgspec.field(
        name="from", default=None
    )
    body: Annotated[str, Meta(min_length=1, max_length=LONGEST_BODY, description="The text of a message.")] | None = (
        None
    )
    media_urls: Annotated[list[Url], Meta(min_length=1, max_length=10)] | None = None
    content_sid: Annotated[str, Meta(pattern=r"^HX[0-9a-f]{32}$(?!\n)", description="Instead of body.")] | None = None
    content_variables: dict[str, str] | None = None
    say: Annotated[str, Meta(min_length=1, max_length=4000, description="The text that a call speaks.")] | None = None
    twiml: Annotated[str, Meta(min_length=1, max_length=4000, description="The TwiML of a call.")] | None = None
    url: Annotated[Url, Meta(description="Where Twilio fetches the TwiML of a call.")] | None = None
    flow: Annotated[str, Meta(min_length=1, max_length=100, description="The call flow that a call walks.")] | None = (
        None
    )
    template: Annotated[str, Meta(min_length=1, max_length=100, description="Instead of body or say.")] | None = None
    data: Annotated[dict[str, Any], Meta(description="The values of the template, or of the flow.")] | None = None
    locale: Annotated[str, Meta(min_length=1, max_length=35, description="Of the template, such as de-AT.")] | None = (
        None
    )
    voice: Annotated[str, Meta(min_length=1, max_length=100, description="For say.")] | None = None
    language: Annotated[str, Meta(min_length=1, max_length=20, description="For say.")] | None = None
    machine_detection: Literal["Enable", "DetectMessageEnd"] | None = None
    record: bool | None = None
    timeout_seconds: Annotated[int, Meta(ge=1, le=600, description="How long it rings.")] | None = None
    time_limit_seconds: Annotated[int, Meta(ge=1, le=86_400, description="How long it lasts at most.")] | None = None
    send_digits: Annotated[str, Meta(pattern=r"^[0-9A-Da-d*#wW]{1,32}$(?!\n)")] | None = None
    send_at: Annotated[Moment, Meta(description="Not before.")] | None = None
    expires_at: Annotated[Moment, Meta(description="Not after.")] | None = None
    time_zone: Annotated[str, Meta(min_length=1, max_length=64, description="The recipient's IANA zone.")] | None = None
    urgent: Annotated[bool, Meta(description="Quiet hours do not hold it back.")] | None = None
    metadata: Annotated[dict[str, str], Meta(description="Kept with the delivery; 4 kB of JSON at most.")] | None = None


End = Literal["failed", "undelivered", "canceled", "busy", "no-answer", "expired", "suppressed"]


class Fallback(Content, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A second way to the same recipient, and when it is gone. Its own fallback is the third."""

    to: (
        Annotated[Address, Meta(description="The same person by another way, such as `whatsapp:` and the number.")]
        | None
    ) = None
    when: (
        Annotated[
            list[End],
            Meta(min_length=1, description="Default: failed, undelivered; after a call also busy, no-answer."),
        ]
        | None
    ) = None
    after_seconds: (
        Annotated[
            int, Meta(ge=10, le=604_800, description="Also where there is no final status so long after it was sent.")
        ]
        | None
    ) = None
    fallback: "Fallback | None" = None


class Request(Content, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What another system asks to be sent. docs/reference/request.md says what each field means."""

    id: Id
    to: Annotated[
        Address,
        Meta(
            description="E.164; or, for messages, `whatsapp:` or `rcs:` and E.164, `whatsapp:` and a user such as"
            " `US.1234`, or `messenger:` and a user; or, for calls, `client:` and a name."
        ),
    ]
    fallback: Fallback | None = None
