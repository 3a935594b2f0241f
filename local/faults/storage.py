"""Connection strings of Azurite, read and pointed at proxies."""

import re
from urllib.parse import urlsplit

from local.faults.seen import Service

HOST = "127.0.0.1"


def endpoint(connection_string: str, service: Service) -> str:
    """Where a service is, without the path: `http://127.0.0.1:10002`; ValueError where it is not spelt out."""
    parts = urlsplit(_url(connection_string, service))
    return f"{parts.scheme}://{parts.netloc}"


def through(connection_string: str, *, table: int | None = None, queue: int | None = None) -> str:
    """The same connection string, with the services that have a port reached there.

    The account stays in the path, and so what Azure's Shared Key signs stays the same: it covers no host.
    https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
    """
    ports: tuple[tuple[Service, int | None], ...] = (("table", table), ("queue", queue))
    for service, port in ports:
        if port is not None:
            old = _url(connection_string, service)
            new = urlsplit(old)._replace(scheme="http", netloc=f"{HOST}:{port}").geturl()
            connection_string = connection_string.replace(f"={old}", f"={new}")
    return connection_string


def _url(connection_string: str, service: Service) -> str:
    found = re.search(rf"(?:^|;){service}endpoint=([^;]+)", connection_string, re.IGNORECASE)
    if found is None:
        raise ValueError(f"expected a connection string with a {service.capitalize()}Endpoint, got one without")
    return found[1]
