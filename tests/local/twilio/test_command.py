import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.local.twilio.conftest import ACCOUNT_SID
from tests.local.twilio.receiver import AUTH_TOKEN

ROOT = Path(__file__).parents[3]
CREDENTIALS = {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": AUTH_TOKEN}


@asynccontextmanager
async def command(*arguments: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TWILIO_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "local.twilio",
        *arguments,
        cwd=ROOT,
        env=kept | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_the_command_says_where_it_is_and_serves_until_ctrl_c() -> None:
    async with command("--port", "0", **CREDENTIALS) as process:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        url = re.fullmatch(r"Twilio simulator on (http://127\.0\.0\.1:\d+)\s*", line)
        assert url is not None
        client = Client(ACCOUNT_SID, AUTH_TOKEN)
        client.api.base_url = url[1]
        created = await asyncio.to_thread(client.messages.create, to="+14155550100", from_="+14155550199", body="x")
        assert created.status == "queued"

        process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))
        code, _, err = await ended(process)
        assert err == ""
        if sys.platform != "win32":  # Windows has no Ctrl-C for one process alone, and CTRL_BREAK_EVENT kills
            assert code == 0


async def test_faults_can_be_made_from_the_start(tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('[{"fault": "suspended"}]', encoding="utf-8")
    async with command("--port", "0", "--faults", str(faults), **CREDENTIALS) as process:
        assert process.stdout is not None
        client = Client(ACCOUNT_SID, AUTH_TOKEN)
        client.api.base_url = (await process.stdout.readline()).decode().split()[-1]
        with pytest.raises(TwilioRestException) as refused:
            await asyncio.to_thread(client.messages.create, to="+14155550100", from_="+14155550199", body="x")

    assert refused.value.code == 30002


@pytest.mark.parametrize("text", ['[{"fault": "earthquake"}]', "{", None])
async def test_faults_that_cannot_be_read_are_one_sentence(tmp_path: Path, text: str | None) -> None:
    faults = tmp_path / "faults.json"
    if text is not None:
        faults.write_text(text, encoding="utf-8")
    async with command("--port", "0", "--faults", str(faults), **CREDENTIALS) as process:
        code, out, err = await ended(process)

    assert (code, out) == (1, "")
    assert err.startswith(f"The Twilio simulator cannot use the faults in {faults}: ")
    assert err.count("\n") == 1


async def test_a_busy_port_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with command("--port", str(port), **CREDENTIALS) as process:
            code, out, err = await ended(process)

    assert (code, out) == (1, "")
    assert err.startswith(f"The Twilio simulator cannot listen on 127.0.0.1:{port}: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("missing", list(CREDENTIALS))
async def test_missing_credentials_are_one_sentence(missing: str) -> None:
    given = {name: value for name, value in CREDENTIALS.items() if name != missing}
    async with command("--port", "0", **given) as process:
        code, out, err = await ended(process)

    assert (code, out) == (1, "")
    assert missing in err
    assert err.count("\n") == 1


async def test_lists_can_be_adverse_from_the_start() -> None:
    lists = '{"order": "adverse", "late": 1, "late_seconds": [3600, 3600]}'
    async with command("--port", "0", "--lists", lists, **CREDENTIALS) as process:
        assert process.stdout is not None
        client = Client(ACCOUNT_SID, AUTH_TOKEN)
        client.api.base_url = (await process.stdout.readline()).decode().split()[-1]
        created = await asyncio.to_thread(client.messages.create, to="+14155550100", from_="+14155550199", body="x")
        assert await asyncio.to_thread(client.messages.list) == []
        assert (await asyncio.to_thread(client.messages(created.sid).fetch)).sid == created.sid


async def test_lists_that_cannot_be_read_are_one_sentence() -> None:
    async with command("--port", "0", "--lists", '{"order": "alphabetical"}', **CREDENTIALS) as process:
        code, out, err = await ended(process)

    assert (code, out) == (1, "")
    assert err.startswith("The Twilio simulator cannot use --lists: ")
    assert err.count("\n") == 1
