"""Whether a request is Twilio's: the signature over its URL and its form. Pure, and fails closed."""

from collections.abc import Sequence
from typing import Final

from twilio.request_validator import RequestValidator

from shared.errors import SignatureInvalid
from shared.inbound.form import Form
from shared.settings_reader import Secret

SETTINGS_HEADER: Final = "X-Twilio-Webhooks-Signature-Settings"
"""Twilio adds it to a webhook that it signs with a shared key (public beta) instead of the auth token.
https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys"""


def verify_signature(
    *, url: str, form: Form, signature: str | None, tokens: Sequence[Secret], has_settings: bool = False
) -> None:
    """Make sure that Twilio signed this request with one of the tokens.

    `url` is the one that Twilio was given: the public base URL with the raw path and query of the request. Twilio
    signs some URLs with their port and some without, so both are tried. `has_settings` says that SETTINGS_HEADER came
    along: shared keys are not supported, and the error says so.
    See https://www.twilio.com/docs/usage/security#validating-requests.

    Raises:
        SignatureInvalid: it did not, or the request can't be checked.
    """
    if not signature:
        raise SignatureInvalid("expected a signature, got none")
    for token in tokens:
        try:
            if RequestValidator(token.reveal()).validate(url, form, signature):
                return
        except (ValueError, UnicodeError) as exc:
            raise SignatureInvalid("expected a URL that can be signed, got another") from exc
    if has_settings:
        raise SignatureInvalid(
            f"expected a signature made with the auth token, got one with {SETTINGS_HEADER}: shared keys are not"
            " supported, so no webhook rule at Twilio may name a signature for this app's URLs"
        )
    raise SignatureInvalid("expected a signature made with the auth token, got another")
