"""Where storage is and how the app signs in to it: `AzureWebJobsStorage`, or the settings that begin with it. Pure.

Azure's own host reads the same settings for its queue trigger and for the leases of its timers.
https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
"""

import re
from dataclasses import dataclass
from typing import Final

from shared.settings_reader import Reader, Secret

DEVELOPMENT_STORAGE: Final = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    # the emulator's account key is the same on every machine, and public:
    # https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
    "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1"
)
STORAGE: Final = "AzureWebJobsStorage"
_SERVICES: Final = ("blob", "queue", "table")
_SUPPORTED: Final = (
    "accountName",
    *(f"{service}ServiceUri" for service in _SERVICES),
    *("credential", "clientId", "managedIdentityResourceId", "tenantId", "clientSecret"),
)
_READABLE_BY_OTHERS: Final = re.compile(r"http://(?!(127\.0\.0\.1|localhost|\[::1\])(:|$))")


@dataclass(frozen=True, slots=True)
class ConnectionString:
    """Storage reached with a key or a shared access signature."""

    value: Secret


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """An identity that Azure gives the app: a user-assigned one where an id names it, else the system-assigned one."""

    client_id: str | None = None
    resource_id: str | None = None


@dataclass(frozen=True, slots=True)
class ServicePrincipal:
    """An application registered in Microsoft Entra ID, with its secret."""

    tenant_id: str
    client_id: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class Identity:
    """Storage reached with an identity; with None for `credential`, a developer's own sign-in counts too."""

    queue_url: str
    table_url: str
    credential: ManagedIdentity | ServicePrincipal | None


Credential = ManagedIdentity | ServicePrincipal | None


def read_storage(read: Reader) -> ConnectionString | Identity:
    """Return where storage is. A connection string goes before an identity, as in Azure's host."""
    parts = [name for name in read.env if name.startswith(f"{STORAGE}__") and read.text(name) is not None]
    text = read.text(STORAGE)
    if text is None:
        return _identity(read, parts)
    if text.strip().rstrip(";").lower() == "usedevelopmentstorage=true":
        text = DEVELOPMENT_STORAGE
    pairs = [part.partition("=")[::2] for part in text.rstrip(";").split(";")]
    names = {name.lower() for name, _ in pairs}
    endpoints = {"queueendpoint", "tableendpoint"}
    if not all(name and value for name, value in pairs):
        read.fault(STORAGE, "expected a connection string, Name=Value;Name=Value, got parts of another form")
    elif not ({"accountname", "accountkey"} <= names or {"sharedaccesssignature", *endpoints} <= names):
        expected = "AccountName and AccountKey, or a SharedAccessSignature with QueueEndpoint and TableEndpoint"
        read.fault(STORAGE, f"expected a connection string with {expected}")
    return ConnectionString(Secret(text))


def read_credential(read: Reader, connection: str) -> Credential:
    """Return how a connection of this name signs in; its parts mean what they mean to Azure's host.

    https://learn.microsoft.com/azure/azure-functions/functions-reference#common-properties-for-identity-based-connections
    """
    kind = (read.text(f"{connection}__credential") or "").lower()
    client_id = read.text(f"{connection}__clientId")
    resource_id = read.text(f"{connection}__managedIdentityResourceId")
    tenant_id = read.text(f"{connection}__tenantId")
    secret = read.secret(f"{connection}__clientSecret")
    if kind not in {"", "managedidentity"}:
        read.fault(f"{connection}__credential", "expected managedidentity or nothing: no other kind is supported")
    if not kind and (secret or tenant_id):
        if secret and tenant_id and client_id:
            return ServicePrincipal(tenant_id=tenant_id, client_id=client_id, secret=secret)
        read.fault(f"{connection}__clientSecret", "expected tenantId, clientId and clientSecret together")
    if client_id and resource_id:
        read.fault(f"{connection}__managedIdentityResourceId", "expected this one or clientId, got both")
    if kind or client_id or resource_id:
        return ManagedIdentity(client_id=client_id, resource_id=resource_id)
    return None


def _identity(read: Reader, parts: list[str]) -> Identity:
    for name in parts:
        # Azure's host knows more of them. One that we passed over would sign in as somebody else than the host.
        if name.removeprefix(f"{STORAGE}__") not in _SUPPORTED and not name.endswith("ServiceUri"):
            read.fault(name, f"is not supported: expected one of {', '.join(_SUPPORTED)}, spelled like this")
    named = f"{STORAGE}__accountName"
    account = read.matching(named, "[a-z0-9]{3,24}", "3 to 24 lower-case letters and digits")
    _, queue, table = (_service_uri(read, service, None if read.is_faulty(named) else account) for service in _SERVICES)
    if not (queue and table) and not read.is_faulty(named):
        read.fault(STORAGE, "expected a connection string, or AzureWebJobsStorage__accountName, or the service URIs")
    return Identity(queue_url=queue, table_url=table, credential=read_credential(read, STORAGE))


def _service_uri(read: Reader, service: str, account: str | None) -> str:
    name = f"{STORAGE}__{service}ServiceUri"
    url = read.base_url(name, default=f"https://{account}.{service}.core.windows.net" if account else "")
    if _READABLE_BY_OTHERS.match(url):
        read.fault(name, "expected https://, since a token is sent there; http:// is for this machine's own address")
    return url
