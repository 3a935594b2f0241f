"""Sockets whose connections end with what was sent by them."""

import asyncio
import socket
import struct
import sys

import pytest

from shared.sockets import bounded

V4 = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 0))
V6 = (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("::1", 0, 0, 0))


@pytest.mark.parametrize("address", [V4, V6], ids=["v4", "v6"])
def test_a_socket_is_of_its_address_and_is_reset_when_it_is_closed(address: tuple[object, ...]) -> None:
    with bounded(10.0)(address) as made:
        assert (made.family, made.type) == address[:2]
        size = 4 if sys.platform == "win32" else 8
        lingers = made.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, size)
        assert struct.unpack("HH" if size == 4 else "ii", lingers) == (1, 0)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this system's kernel has no such bound")
@pytest.mark.parametrize(("seconds", "milliseconds"), [(10.0, 10_000), (2.5, 2500), (0.0001, 1)])
def test_its_data_must_be_acknowledged_in_time(seconds: float, milliseconds: int) -> None:
    with bounded(seconds)(V4) as made:
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == milliseconds


async def test_whoever_is_at_the_other_end_sees_that_it_was_reset() -> None:
    ended: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        except ConnectionResetError as exc:
            ended.set_result(exc)
        else:
            ended.set_result(None)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        with bounded(10.0)(V4) as made:
            made.setblocking(False)
            await asyncio.get_running_loop().sock_connect(made, server.sockets[0].getsockname())
            await asyncio.get_running_loop().sock_sendall(made, b"half a request")
        assert isinstance(await ended, ConnectionResetError)
