from contextlib import AsyncExitStack

import pytest

from local.host.errors import HostError
from local.host.storage import Storage

CONNECTION_STRING = "AccountName=one;AccountKey=a2V5;EndpointSuffix=core.windows.net;DefaultEndpointsProtocol=https"


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"Mine": CONNECTION_STRING}, "https://one.queue.core.windows.net/q"),
        ({"AzureWebJobsMine": CONNECTION_STRING}, "https://one.queue.core.windows.net/q"),
        ({"Mine": "UseDevelopmentStorage=true"}, "http://127.0.0.1:10001/devstoreaccount1/q"),
        ({"Mine__accountName": "two"}, "https://two.queue.core.windows.net/q"),
        ({"Mine__queueServiceUri": "https://three.example", "Mine__clientId": "c"}, "https://three.example/q"),
    ],
)
async def test_a_connection_is_a_connection_string_or_an_identity(settings: dict[str, str], url: str) -> None:
    async with AsyncExitStack() as clients:
        queue = await Storage(settings, clients=clients).queue("q", connection="Mine")
        assert queue.url == url


async def test_a_malformed_connection_string_is_named_but_not_shown() -> None:
    async with AsyncExitStack() as clients:
        with pytest.raises(HostError, match=r"^the setting Mine is no connection string") as caught:
            await Storage({"Mine": "AccountKey=secret"}, clients=clients).queue("q", connection="Mine")
    assert "secret" not in str(caught.value)


async def test_an_identity_that_is_not_supported_is_named_but_its_secret_is_not_shown() -> None:
    settings = {"Mine__accountName": "two", "Mine__tenantId": "some-tenant", "Mine__clientSecret": "secret-text"}
    async with AsyncExitStack() as clients:
        with pytest.raises(HostError, match=r"^Mine__clientSecret: expected tenantId, clientId and") as caught:
            await Storage(settings, clients=clients).queue("q", connection="Mine")
    assert "secret-text" not in str(caught.value)
