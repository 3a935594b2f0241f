"""SIDs, by which Twilio names everything it keeps: two letters and 32 hexadecimal digits. Pure.

https://www.twilio.com/docs/glossary/what-is-a-sid
"""

import re
from typing import Final

SID: Final = re.compile(r"[A-Z]{2}[0-9a-f]{32}")
"""the one form in which SIDs are on record"""
_ANY_CASE: Final = re.compile(r"[A-Z]{2}[0-9A-Fa-f]{32}")


def in_one_form(text: str) -> str:
    """Return a SID in its one form, as keys of rows tell capitals and small letters apart; another text as it is."""
    return text[:2] + text[2:].lower() if _ANY_CASE.fullmatch(text) else text
