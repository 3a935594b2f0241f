import pytest
from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential
from azure.data.tables.aio import TableClient
from yarl import URL

from shared.settings_storage import DEVELOPMENT_STORAGE
from shared.table_service import connection
from shared.table_service.access import AccountKey, SharedAccess

KEY = "AccountName=acc;AccountKey=c2VjcmV0"
SHARED = "sv=2019-02-02&st=2026-01-01T00:00:00Z&sig=a%2Bb%2Fc%3D&sp=raud"


@pytest.mark.parametrize(
    "text",
    [
        DEVELOPMENT_STORAGE,
        KEY,
        KEY + ";",
        KEY + ";EndpointSuffix=core.chinacloudapi.cn",
        "DefaultEndpointsProtocol=http;" + KEY,
        "DefaultEndpointsProtocol=http;EndpointSuffix=storage.example;" + KEY,
        "DefaultEndpointsProtocol=https;EndpointSuffix=core.windows.net;" + KEY,
        "defaultendpointsprotocol=https;ACCOUNTNAME=acc;accountKEY=c2VjcmV0;endpointsuffix=core.windows.net",
        KEY + ";TableEndpoint=https://tables.example/",
        KEY + ";TableEndpoint=tables.example:8443/acc",
        KEY + ";TableEndpoint=https://tables.example/?" + SHARED,
        f"TableEndpoint=https://tables.example;SharedAccessSignature={SHARED}",
        f"TableEndpoint=https://tables.example/;SharedAccessSignature=?{SHARED}",
        f"AccountName=acc;SharedAccessSignature={SHARED}",
        f"{KEY};SharedAccessSignature={SHARED}",
    ],
)
async def test_a_connection_string_means_what_it_means_to_the_sdk(text: str) -> None:
    url, access = connection.read(text)
    async with TableClient.from_connection_string(text, "t") as sdk:
        assert url == sdk.url
        match sdk.credential:
            case AzureNamedKeyCredential() as known:
                assert isinstance(access, AccountKey)
                assert (access.account, access.query) == (known.named_key.name, "")
                assert access == AccountKey(known.named_key.name, access.key)
            case AzureSasCredential() as known:
                assert isinstance(access, SharedAccess)
                assert access.query == URL("http://h/?" + known.signature.lstrip("?")).raw_query_string
            case other:
                pytest.fail(f"an unknown way in: {type(other)}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2VjcmV0",
        "AccountName=acc",
        "AccountKey=c2VjcmV0",
        "AccountName=acc;AccountKey=c2VjcmV0x",
        "AccountName=;AccountKey=c2VjcmV0",
        "TableEndpoint=https://tables.example;AccountKey=c2VjcmV0",
    ],
)
def test_a_connection_string_that_leads_nowhere_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected ") as caught:
        connection.read(text)
    assert "c2Vj" not in str(caught.value)


def test_no_way_in_shows_its_secret() -> None:
    for text in (KEY, f"AccountName=acc;SharedAccessSignature={SHARED}"):
        shown = repr(connection.read(text))
        assert "secret" not in shown
        assert "sig" not in shown
