"""The credential that an identity's settings describe."""

from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.identity.aio import ClientSecretCredential, DefaultAzureCredential, ManagedIdentityCredential

from shared.settings_storage import Credential, ManagedIdentity, ServicePrincipal


def open_credential(described: Credential, **options: Any) -> AsyncTokenCredential:  # noqa: ANN401 - azure.core's own
    """Return what asks for tokens; whoever opens it closes it.

    `options` are those of azure.core's pipeline, such as `transport`.
    """
    match described:
        case ServicePrincipal(tenant_id, client_id, secret):
            return ClientSecretCredential(tenant_id, client_id, secret.reveal(), **options)
        case ManagedIdentity(_, str(resource_id)):
            # The async client passes these on as they are, and this is the name of the id on App Service:
            # https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
            return ManagedIdentityCredential(identity_config={"mi_res_id": resource_id}, **options)
        case ManagedIdentity(client_id=client_id):
            return ManagedIdentityCredential(client_id=client_id, **options)
        case None:
            return DefaultAzureCredential(**options)
