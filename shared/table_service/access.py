"""What a request to storage shows that it may: a signature by the account's key, a shared one, or a token."""

import base64
import hmac
import re
import time
from asyncio import Lock
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Protocol

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential

_SCOPE: Final = "https://storage.azure.com/.default"
_EARLY_SECONDS: Final = 300
"""a token that ends so soon is asked for anew"""
_TENANT: Final = re.compile(r'authorization(?:_uri)?="?https://[^/"\s,]+/([0-9A-Za-z.-]+)')


class Access(Protocol):
    """A way in."""

    @property
    def query(self) -> str:
        """What the query of every URL carries: never to be shown."""

    async def headers(self, path: str, date: str) -> Mapping[str, str]:
        """Return the headers that let a request in; `path` is that of its URL, percent-encoded as it is sent."""

    async def renew(self, challenge: str) -> bool:
        """Say whether it is worth asking again after a 401; `challenge` is its WWW-Authenticate."""


@dataclass(frozen=True)
class AccountKey:
    """The account's key, which signs each request; it covers the date and the path.

    https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
    """

    account: str
    key: bytes = field(repr=False)
    query: str = ""

    async def headers(self, path: str, date: str) -> Mapping[str, str]:
        """Sign; the path of an emulator begins with the account, which then stands there twice."""
        signature = self._begun.copy()
        signature.update(f"{date}\n/{self.account}{path}".encode())
        text = base64.b64encode(signature.digest()).decode()
        return {"Authorization": f"SharedKeyLite {self.account}:{text}"}

    async def renew(self, challenge: str) -> bool:  # noqa: ARG002 - the protocol's
        """A key that is refused once is refused again."""
        return False

    @cached_property
    def _begun(self) -> hmac.HMAC:
        """The beginning of every signature, which is the key's part of the work."""
        return hmac.new(self.key, digestmod="sha256")


@dataclass(frozen=True, slots=True)
class SharedAccess:
    """A shared access signature: it is part of every URL."""

    query: str = field(repr=False)

    async def headers(self, path: str, date: str) -> Mapping[str, str]:  # noqa: ARG002 - the protocol's
        """No header is needed."""
        return {}

    async def renew(self, challenge: str) -> bool:  # noqa: ARG002 - the protocol's
        """A signature that is refused once is refused again."""
        return False


class Bearer:
    """A token of the app's own identity, kept until some minutes before it ends; one request at a time asks for it.

    Errors of the credential pass through: they are azure.core's, too.
    """

    query = ""

    def __init__(self, credential: AsyncTokenCredential, *, clock: Callable[[], float] = time.time) -> None:
        self._credential = credential
        self._clock = clock
        self._token: AccessToken | None = None
        self._tenant: str | None = None
        self._asking = Lock()

    async def headers(self, path: str, date: str) -> Mapping[str, str]:  # noqa: ARG002 - the protocol's
        """Return the token's header."""
        async with self._asking:
            token = self._token
            if token is None or token.expires_on - self._clock() < _EARLY_SECONDS:
                token = self._token = await self._credential.get_token(_SCOPE, tenant_id=self._tenant)
        return {"Authorization": f"Bearer {token.token}"}

    async def renew(self, challenge: str) -> bool:
        """Forget the token; the next is asked for in the tenant that the challenge names.

        https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory#bearer-challenge
        """
        self._token = None
        if found := _TENANT.search(challenge):
            self._tenant = found[1]
        return True
