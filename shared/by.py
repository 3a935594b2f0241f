"""Who did something: a person or a system names itself in `by`, and the name is kept with what it changed. Pure."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from shared.documents import convert, parse_object

_LONGEST: Final = 1_000
"""characters of a body that holds nothing but `by`"""

By = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        # C0 and C1, line and paragraph separators, and what turns the direction of the text that follows
        pattern=r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]*$(?!\n)",
        description="Who asks for it, in their own words: 100 characters at most, no control characters.",
    ),
]


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body that says who asks, and nothing else."""

    by: By | None = None


def read_by(content: bytes, *, query: str | None = None) -> str | None:
    """Return who asks for something: `by` of a JSON body, which may be missing, else `by` of the query.

    Raises:
        RequestInvalid: the body holds something else, or the name can't be kept.
    """
    document = parse_object(content, longest=_LONGEST) if content else {}
    named = {"by": query} if query is not None else {}
    return convert({**named, **document}, Signature).by
