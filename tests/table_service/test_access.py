import asyncio
from dataclasses import dataclass, field
from typing import Any, Self

from azure.core.credentials import AccessToken

from shared.table_service.access import Bearer

SCOPE = "https://storage.azure.com/.default"
CHALLENGE = "Bearer authorization_uri=https://login.microsoftonline.com/{}/oauth2/authorize resource_id=https://storage.azure.com"


@dataclass
class Credential:
    """Gives tokens that live an hour, one after the other."""

    now: float = 1_000_000.0
    asked: list[tuple[tuple[str, ...], Any]] = field(default_factory=list)

    async def get_token(self, *scopes: str, tenant_id: str | None = None, **_more: object) -> AccessToken:
        await asyncio.sleep(0)
        self.asked.append((scopes, tenant_id))
        return AccessToken(f"token-{len(self.asked)}", int(self.now) + 3600)

    async def close(self) -> None:
        """Nothing is open."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Nothing is open."""


def bearer(credential: Credential) -> Bearer:
    return Bearer(credential, clock=lambda: credential.now)


async def shown(access: Bearer) -> str:
    return (await access.headers("/t", "now"))["Authorization"]


async def test_a_token_is_asked_for_once_by_however_many() -> None:
    credential = Credential()
    access = bearer(credential)
    assert set(await asyncio.gather(*(shown(access) for _ in range(64)))) == {"Bearer token-1"}
    assert credential.asked == [((SCOPE,), None)]
    assert access.query == ""


async def test_a_token_is_asked_for_anew_some_minutes_before_it_ends() -> None:
    credential = Credential()
    access = bearer(credential)
    tokens = []
    for passed in (0, 3300, 1, 1):
        credential.now += passed
        tokens.append(await shown(access))
    assert tokens == ["Bearer token-1", "Bearer token-1", "Bearer token-2", "Bearer token-2"]


async def test_a_refused_token_is_asked_for_anew_in_the_tenant_that_the_challenge_names() -> None:
    credential = Credential()
    access = bearer(credential)
    await shown(access)
    assert await access.renew("")
    assert await shown(access) == "Bearer token-2"
    tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"
    for challenge in (CHALLENGE.format(tenant), f'Bearer authorization="https://login.example/{tenant}", x="y"'):
        assert await access.renew(challenge)
        await shown(access)
    assert [asked[1] for asked in credential.asked] == [None, None, tenant, tenant]
