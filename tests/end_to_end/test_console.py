"""Deliveries at the console: `dev.py show`, `search` and `tail`, with the answers of the app itself."""

import asyncio
import json
import threading
from collections.abc import Callable

import pytest

from local import __main__ as console
from local.asking import Functions
from local.tail import tail
from tests.end_to_end.stage import Stage, new_id

UNREACHABLE = "+15005550101"
"""a text to it ends as undelivered, with 30003"""


async def _main(everything: Stage, *arguments: str) -> int:
    return await asyncio.to_thread(console.main, [*arguments, "--url", everything.settings["PUBLIC_BASE_URL"]])


async def _undelivered(everything: Stage) -> str:
    delivery_id = new_id()
    await everything.enqueue({"id": delivery_id, "channel": "sms", "to": UNREACHABLE, "body": delivery_id})
    await everything.told(delivery_id, "queued", "sent", "undelivered")
    return delivery_id


async def test_a_delivery_is_shown_as_it_is_on_record(everything: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    delivery_id = await _undelivered(everything)
    assert await _main(everything, "show", delivery_id) == 0
    first, ends, sid, error, *timeline = capsys.readouterr().out.splitlines()
    shown = await everything.get(delivery_id)
    assert first == f"{delivery_id}  undelivered"
    assert ends == f"  outbound sms from {shown['from']} to {UNREACHABLE}"
    assert sid.startswith(f"  {shown['sid']}, 1 attempt, made ")
    assert error.startswith("  error 30003: ")
    assert [line.split()[1] for line in timeline if line.startswith("  ")][-3:] == ["queued", "sent", "undelivered"]
    assert await _main(everything, "show", delivery_id, "--json") == 0
    assert json.loads(capsys.readouterr().out) == shown


async def test_a_search_finds_it_by_every_filter(everything: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    delivery_id = await _undelivered(everything)
    filters = ["--status", "undelivered", "--error-code", "30003", "--to", UNREACHABLE, "--direction", "outbound"]
    assert await _main(everything, "search", *filters, "--channel", "sms", "--limit", "1") == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split()[-1] == "ID"
    assert line.split()[2:4] == ["undelivered", "sms"]
    assert line.endswith(f"{UNREACHABLE}  30003  {delivery_id}"), "the newest comes first"
    assert await _main(everything, "search", "--address", UNREACHABLE, "--json", "--limit", "1") == 0
    [found] = capsys.readouterr().out.splitlines()
    assert json.loads(found) == (await everything.search(address=UNREACHABLE, limit=1))[0]


async def test_the_events_of_a_new_delivery_are_printed_and_those_before_are_not(
    everything: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    before = await _undelivered(everything)
    watching, ended = threading.Event(), threading.Event()
    looks = iter([True, False])

    def pause() -> None:
        watching.set()
        if not next(looks):
            raise KeyboardInterrupt
        assert ended.wait(60)

    functions = Functions(everything.settings["PUBLIC_BASE_URL"], None)
    tailing = asyncio.create_task(asyncio.to_thread(_until_ctrl_c, functions, pause))
    assert await asyncio.to_thread(watching.wait, 60)
    during = await _undelivered(everything)
    ended.set()
    await tailing
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[2] for line in lines if line[1] == during] == ["queued", "sent", "undelivered"]
    assert [line for line in lines if line[1] == before] == []


def _until_ctrl_c(functions: Functions, pause: Callable[[], None]) -> None:
    with pytest.raises(KeyboardInterrupt):
        tail({"to": UNREACHABLE}, functions=functions, as_json=False, pause=pause)
