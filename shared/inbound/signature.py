"""Whether a request is Twilio's: the signature over its URL and its form. Pure, and fails closed."""

from collections.abc import Sequence

from twilio.request_validator import RequestValidator

from shared.errors import SignatureInvalid
from shared.inbound.form import Form
from shared.settings_reader import Secret


def verify_signature(*, url: str, form: Form, signature: str | None, tokens: Sequence[Secret]) -> None:
    """Make sure that Twilio signed this request with one of the tokens.

    `url` is the one that Twilio was given: the public base URL with the raw path and query of the request. Twilio
    signs some URLs with their port and some without, so both are tried.
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
    raise SignatureInvalid("expected a signature made with the auth token, got another")
