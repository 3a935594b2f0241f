"""Whether a request is Twilio's: the signature over its URL and its form. Pure, and fails closed."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from twilio.request_validator import RequestValidator, add_port, compare, remove_port

from shared.errors import SignatureInvalid
from shared.inbound.form import Form
from shared.settings_reader import Secret

SETTINGS_HEADER: Final = "X-Twilio-Webhooks-Signature-Settings"
"""Twilio adds it to a webhook that it signs with a shared key (public beta) instead of the auth token.
https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys"""


def verify_signature(
    *,
    url: str,
    form: Form,
    signature: str | None,
    tokens: Sequence[Secret],
    host: str = "",
    has_settings: bool = False,
) -> None:
    """Make sure that Twilio signed this request with one of the tokens.

    `url` is the one that Twilio was given: the public base URL with the raw path and query of the request. `host` is
    its host as the request spells it; it counts only where nothing but case tells it from the URL's own. `has_settings`
    says that SETTINGS_HEADER came along: shared keys are not supported, and the error says so.
    See https://www.twilio.com/docs/usage/security#validating-requests.

    Raises:
        SignatureInvalid: it did not, or the request can't be checked.
    """
    if not signature:
        raise SignatureInvalid("expected a signature, got none")
    try:
        urls = _as_signed(url, host)
        for token in tokens:
            validator = RequestValidator(token.reveal())
            if any(compare(validator.compute_signature(signed, form), signature) for signed in urls):
                return
    except (ValueError, UnicodeError) as exc:
        raise SignatureInvalid("expected a URL that can be signed, got another") from exc
    if has_settings:
        raise SignatureInvalid(
            f"expected a signature made with the auth token, got one with {SETTINGS_HEADER}: shared keys are not"
            " supported, so no webhook rule at Twilio may name a signature for this app's URLs"
        )
    raise SignatureInvalid("expected a signature made with the auth token, got another")


def _as_signed(url: str, host: str) -> list[str]:
    """Return the spellings of a URL under which Twilio may have signed it.

    Twilio signs the URL as somebody gave it to Twilio: with capitals in the host
    (https://github.com/twilio/twilio-csharp/issues/522), and with a question mark that no query follows, which urllib
    and some proxies drop. It signs some URLs with their port and some without.
    """
    parts = urlsplit(url)
    spelled = [parts._replace(netloc=host)] if host.lower() == parts.netloc != host else []
    urls = [add(one) for one in (parts, *spelled) for add in (remove_port, add_port)]
    return urls if parts.query else [*urls, *(f"{one}?" for one in urls)]
