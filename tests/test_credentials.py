"""Who asks for a token of storage, and how: seen from the other end of the wire."""

import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from azure.core.pipeline.transport import AioHttpTransport
from azure.identity.aio import DefaultAzureCredential

from shared.credentials import open_credential
from shared.settings_reader import Secret
from shared.settings_storage import Credential, ManagedIdentity, ServicePrincipal
from tests.servers import serve

SCOPE = "https://storage.azure.com/.default"
RESOURCE_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app"


@dataclass
class Tokens:
    """A token service that takes whatever comes, and keeps it."""

    asked: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Give a token."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(
            {"path": request.path, **request.query, **form, "header": request.headers.get("X-IDENTITY-HEADER", "")}
        )
        token = {"access_token": "token", "token_type": "Bearer", "resource": "storage"}
        return web.json_response({**token, "expires_in": 3600, "expires_on": str(int(time.time()) + 3600)})


class Redirected(AioHttpTransport):  # type: ignore[misc]  # azure.core leaves it untyped
    """Sends everything to one server, wherever it was meant to go."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.meant: list[str] = []

    async def send(self, request: Any, **config: Any) -> Any:  # noqa: ANN401 - azure.core's own
        """Send to the server."""
        origin, _, path = request.url.removeprefix("https://").partition("/")
        self.meant.append(origin)
        request.url = f"{self._url}/{path}"
        return await super().send(request, **config)


@pytest.mark.parametrize(
    ("described", "named"),
    [
        (ManagedIdentity(), {}),
        (ManagedIdentity(client_id="some-client"), {"client_id": "some-client"}),
        # https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
        (ManagedIdentity(resource_id=RESOURCE_ID), {"mi_res_id": RESOURCE_ID}),
    ],
)
async def test_azure_is_asked_for_the_identity_that_the_settings_name(
    described: Credential, named: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = Tokens()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serve(tokens.answer))
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "made-up")
        credential = open_credential(described)
        stack.push_async_callback(credential.close)
        assert (await credential.get_token(SCOPE)).token == "token"
    expected = {"path": "/msi/token", "api-version": "2019-08-01", "resource": "https://storage.azure.com"}
    assert tokens.asked == [{**expected, **named, "header": "made-up"}]


async def test_an_application_signs_in_with_its_secret() -> None:
    tokens = Tokens()
    async with AsyncExitStack() as stack:
        transport = Redirected(await stack.enter_async_context(serve(tokens.answer)))
        described = ServicePrincipal(tenant_id="some-tenant", client_id="some-client", secret=Secret("some-secret"))
        credential = open_credential(described, transport=transport)
        stack.push_async_callback(credential.close)
        assert (await credential.get_token(SCOPE)).token == "token"
    assert transport.meant == ["login.microsoftonline.com"]
    [asked] = tokens.asked
    assert asked["path"] == "/some-tenant/oauth2/v2.0/token"
    assert (asked["client_id"], asked["client_secret"], asked["scope"]) == ("some-client", "some-secret", SCOPE)


async def test_without_a_name_whoever_is_signed_in_here_counts() -> None:
    credential = open_credential(None)
    await credential.close()
    assert isinstance(credential, DefaultAzureCredential)
