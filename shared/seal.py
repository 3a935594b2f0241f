"""The fixed end of a URL that Twilio signs, so that nobody can move the border between URL and form. Pure.

Twilio signs the URL and, right behind it, the names and values of the form, with no separator in between:
https://www.twilio.com/docs/usage/webhooks/webhooks-security#how-twilio-signs-requests
So the signature of `?delivery=order12` with `AccountSid=…` is also that of `?delivery=order1` with `2AccountSid=…`. A
query that ends in a fixed parameter, and holds it once, can be neither cut nor prolonged.
"""

from typing import Final
from urllib.parse import parse_qs, quote_plus

SEALED: Final = 2
"""of the URLs that this version writes; those of the first form have no fixed end"""
_END: Final = f"&v={SEALED}"
_COLON: Final = "*"
"""stands for the colon of an id: Twilio may sign a colon of a query without its escape, and no id has an asterisk.
https://github.com/twilio/twilio-node/pull/621 and https://github.com/twilio/twilio-node/pull/642"""


def sealed(query: str) -> str:
    """Return a query with the fixed end."""
    return query + _END


def is_sealed(query: str) -> bool:
    """Tell whether a query has the fixed end, and nothing behind it."""
    return query.partition(_END)[1:] == (_END, "")


def unsealed(query: str) -> str:
    """Return a query without the fixed end."""
    return query.removesuffix(_END)


def naming(delivery_id: str) -> str:
    """Return the parameter that names a delivery."""
    return "delivery=" + quote_plus(delivery_id.replace(":", _COLON), safe=_COLON, errors="replace")


def named(query: str) -> str | None:
    """Return the id of the delivery that a query names, in either form."""
    found = parse_qs(query).get("delivery")
    return found[0].replace(_COLON, ":") if found else None
