"""Why a webhook was refused, as far as the request itself shows: for the log, never for a decision. Pure.

Anybody may post, so the work and the length of the text are bounded, and what a request says is shown only in part.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from shared.errors import SignatureInvalid
from shared.inbound.form import Form
from shared.inbound.signature import SETTINGS_HEADER, verify_signature
from shared.settings import Settings
from shared.settings_reader import Secret

MOST_TRIED: Final = 16 * 1024
MOST_FIELDS: Final = 200
"""The signature of a larger body is not tried with other hosts: Twilio's forms have up to three thousand bytes and some
sixty fields, and a stranger's body must not cost more than two milliseconds."""
_SIGNATURE: Final = re.compile(r"[A-Za-z0-9+/]{27}=")
"""a SHA-1 hash in base64"""
_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]{1,100}|\[[0-9A-Fa-f:]{2,39}\])(?::[0-9]{1,5})?")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,39}")
_DIGITS: Final = re.compile(r"[0-9]{5}")
"""what may be part of a number"""
_MOST_NAMES: Final = 8
_HEADERS: Final = ("Host", "X-Forwarded-Host", "X-Original-Host")
"""what names a host: X-Forwarded-Host comes from Azure Front Door, X-Original-Host from Application Gateway.
https://learn.microsoft.com/azure/frontdoor/front-door-http-headers-protocol
https://learn.microsoft.com/azure/application-gateway/how-application-gateway-works"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """A request as it reached the app."""

    url: str
    headers: Mapping[str, str]
    body: bytes


def tokens_of(settings: Settings) -> list[Secret]:
    """Return the tokens that may sign."""
    return [token for token in (settings.auth_token, settings.auth_token_secondary) if token is not None]


def likely_cause(came: Came, settings: Settings) -> str:
    """Return the URL that was checked, the hosts that the request names instead, and the likely cause."""
    base = settings.public_base_url
    hosts = {host: spelled for host, spelled in _hosts(came).items() if host != urlsplit(base).netloc}
    shown = f"; the request names {', '.join(hosts)} instead" if hosts else ""
    return f"checked {_shown(base, came.url)}{shown}; likely cause: {_cause(came, settings, hosts)}"


def _cause(came: Came, settings: Settings, hosts: Mapping[str, str]) -> str:
    signature = came.headers.get("X-Twilio-Signature") or ""
    form = _form(came.body)
    if signature and SETTINGS_HEADER in came.headers:
        return "a webhook rule at Twilio that names a signature"
    if not _SIGNATURE.fullmatch(signature):
        return "a sender other than Twilio" + ("" if signature else ", or a proxy that drops X-Twilio-Signature")
    if form is None:
        return "a sender other than Twilio; the body is too large to try the signature with other hosts"
    for base in _bases(settings.public_base_url, hosts):
        host = hosts.get(urlsplit(base).netloc, "")
        if _is_signed(base + _target(came.url), form, signature, settings, host=host):
            return f"the signature is right for {base}: set PUBLIC_BASE_URL to the host and scheme that Twilio calls"
    return _other_cause(form, settings)


def _other_cause(form: Form, settings: Settings) -> str:
    if not len(form):
        return "a body that is no form, or that a proxy dropped"
    if form.get("AccountSid") not in {None, settings.account_sid}:
        return "AccountSid is not TWILIO_ACCOUNT_SID: another account or subaccount signs with its own token"
    return (
        "TWILIO_AUTH_TOKEN is not the account's, the URL at Twilio has another host than those here, a proxy changes"
        " path, query or form, or the sender is not Twilio"
    )


def _form(body: bytes) -> Form | None:
    return Form.parse(body) if len(body) <= MOST_TRIED and body.count(b"&") < MOST_FIELDS else None


def _is_signed(url: str, form: Form, signature: str, settings: Settings, *, host: str) -> bool:
    try:
        verify_signature(url=url, host=host, form=form, signature=signature, tokens=tokens_of(settings))
    except SignatureInvalid:
        return False
    return True


def _hosts(came: Came) -> dict[str, str]:
    """Return each host that the request names, in small letters, with its spelling; a malformed one is left out."""
    named = [came.url.partition("://")[2].partition("/")[0], *(came.headers.get(name) or "" for name in _HEADERS)]
    firsts = [host.partition(",")[0].strip() for host in named]
    return {host.lower(): host for host in firsts if _HOST.fullmatch(host)}


def _bases(base: str, hosts: Iterable[str]) -> Iterator[str]:
    own = urlsplit(base)
    for host in (own.netloc, *hosts):
        for scheme in ("https", "http"):
            for path in dict.fromkeys((own.path, "")):
                if (tried := f"{scheme}://{host}{path}") != base:
                    yield tried


def _target(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2]


def _shown(base: str, url: str) -> str:
    """Show a URL without the values of its query, and without what may be a number."""
    path, _, query = _target(url).partition("?")
    segments = [_name(segment) for segment in path.split("/")[1 : _MOST_NAMES + 1]]
    names = [_name(pair.partition("=")[0]) for pair in query.split("&")[:_MOST_NAMES]] if query else []
    return f"{base}/{'/'.join(segments)}{'?' if names else ''}{'&'.join(names)}"


def _name(text: str) -> str:
    return text if _NAME.fullmatch(text) and not _DIGITS.search(text) else "…"
