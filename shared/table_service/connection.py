"""Connection strings, as far as they say where an account's tables are and how to get in. Pure.

https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string
"""

import base64
from collections.abc import Mapping
from typing import Final

from yarl import URL

from shared.table_service.access import Access, AccountKey, SharedAccess

_SUFFIX: Final = "core.windows.net"


def read(text: str) -> tuple[str, Access]:
    """Return the URL of an account's tables, and the way in.

    Raises:
        ValueError: it names no account, or no way in; what it holds is not shown.
    """
    pairs = (part.partition("=") for part in text.strip().rstrip(";").split(";"))
    named = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return _url(named), _access(named)


def _url(named: Mapping[str, str]) -> str:
    given = named.get("tableendpoint")
    if given:
        url = given if given.lower().startswith("http") else f"https://{given}"
        return str(URL(url).with_query(None)).rstrip("/")
    account = named.get("accountname")
    if not account:
        raise ValueError("expected a connection string with a TableEndpoint or an AccountName, got neither")
    suffix = named.get("endpointsuffix")
    # a protocol alone does not take an account of the public cloud from https
    scheme = named.get("defaultendpointsprotocol", "https") if suffix else "https"
    return f"{scheme}://{account}.table.{suffix or _SUFFIX}"


def _access(named: Mapping[str, str]) -> Access:
    account, key, shared = (named.get(name) for name in ("accountname", "accountkey", "sharedaccesssignature"))
    if account and key:
        try:
            return AccountKey(account, base64.b64decode(key))
        except ValueError:
            raise ValueError("expected an AccountKey in base64, got something else") from None
    if shared:
        return SharedAccess(URL("?" + shared.lstrip("?")).raw_query_string)
    raise ValueError("expected a connection string with AccountName and AccountKey, or a SharedAccessSignature")
