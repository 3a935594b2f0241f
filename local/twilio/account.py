"""The account that the simulator plays, and who may use it.

https://www.twilio.com/docs/iam/api/account
"""

import base64
import binascii
import hmac
from dataclasses import dataclass, field
from datetime import datetime

from local.twilio.dates import rfc2822

API_VERSION = "2010-04-01"
API_URL = "https://api.twilio.com"
SUBRESOURCES = ("Calls", "Messages", "Recordings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account: its SID, the token that signs webhooks, an API key where there is one, and the API's URL."""

    sid: str
    auth_token: str = field(repr=False)
    api_key_sid: str | None = None
    api_key_secret: str | None = field(default=None, repr=False)
    api: str = API_URL

    def admits(self, authorization: str | None) -> bool:
        """Whether a header of HTTP Basic authentication holds the account's token or its API key."""
        given = _basic(authorization)
        pairs = [(self.sid, self.auth_token)]
        if self.api_key_sid and self.api_key_secret:
            pairs.append((self.api_key_sid, self.api_key_secret))
        return any(hmac.compare_digest(given, f"{user}:{password}".encode()) for user, password in pairs)

    def uri(self, path: str = "") -> str:
        """The URI of a resource of this account, as answers name it: without scheme and host."""
        return f"/{API_VERSION}/Accounts/{self.sid}{path}.json"

    def url(self, path: str) -> str:
        """The URL of something of this account that is no JSON, such as a recording."""
        return f"{self.api}/{API_VERSION}/Accounts/{self.sid}{path}"


def account_json(account: Account, *, created: datetime) -> dict[str, object]:
    """The account as the REST API shows it, but without its token."""
    return {
        "auth_token": None,
        "date_created": rfc2822(created),
        "date_updated": rfc2822(created),
        "friendly_name": "Twilio simulator",
        "owner_account_sid": account.sid,
        "sid": account.sid,
        "status": "active",
        "subresource_uris": {name.lower(): account.uri(f"/{name}") for name in SUBRESOURCES},
        "type": "Full",
        "uri": account.uri(),
    }


def _basic(authorization: str | None) -> bytes:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
