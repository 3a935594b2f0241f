"""Access tokens: what lets a browser call and be called, for a while, under one name.

https://www.twilio.com/docs/iam/access-tokens
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.errors import NotConfigured
from shared.settings import Settings

LONGEST: Final = timedelta(hours=1)
_TOLERATED: Final = timedelta(seconds=30)
"""how far Twilio's clock may be behind: what is not valid yet is refused"""


@dataclass(frozen=True, slots=True)
class Token:
    """A token, which is a secret of whom it was made for, until it expires."""

    text: str
    expires_at: datetime


def mint(settings: Settings, *, identity: str, lasts: timedelta, now: datetime) -> Token:
    """Make a token of the Voice SDK: with it a browser may start calls, and is called as `client:IDENTITY`.

    Raises:
        NotConfigured: an API key or the TwiML application is missing.
    """
    key_sid, secret, application = settings.api_key_sid, settings.api_key_secret, settings.twiml_app_sid
    if key_sid is None or secret is None or application is None:
        raise NotConfigured("an access token", _missing(settings))
    # PyJWT and what it imports: nobody else in the app needs it
    from twilio.jwt.access_token import AccessToken  # noqa: PLC0415
    from twilio.jwt.access_token.grants import VoiceGrant  # noqa: PLC0415

    now = now.replace(microsecond=0)
    expires_at = now + min(lasts, LONGEST)
    token = AccessToken(
        settings.account_sid,
        key_sid,
        secret.reveal(),
        grants=[VoiceGrant(incoming_allow=True, outgoing_application_sid=application)],
        identity=identity,
        nbf=int((now - _TOLERATED).timestamp()),
        valid_until=int(expires_at.timestamp()),
    )
    return Token(token.to_jwt(), expires_at)


def _missing(settings: Settings) -> list[str]:
    needed = {
        "TWILIO_API_KEY_SID": settings.api_key_sid,
        "TWILIO_API_KEY_SECRET": settings.api_key_secret,
        "TWILIO_TWIML_APP_SID": settings.twiml_app_sid,
    }
    return [name for name, value in needed.items() if value is None]
