"""What a server can do to a connection instead of answering."""

import asyncio

from aiohttp import web

LOOK_EVERY = 0.05


def drop(request: web.Request) -> web.Response:
    """Close a request's connection at once; a handler returns what this returns, and nobody gets it."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def given_up(request: web.Request) -> None:
    """Wait until the client closes the connection."""
    while request.transport is not None:  # noqa: ASYNC110 - aiohttp tells of it only by cancelling handlers, all of them
        await asyncio.sleep(LOOK_EVERY)
