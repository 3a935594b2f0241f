"""How the control endpoints answer."""

import msgspec
from aiohttp import web


def shown(value: object, *, status: int = 200) -> web.Response:
    """A value as JSON."""
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")
