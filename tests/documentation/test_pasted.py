"""The shell blocks of a page, pasted in page order into a shell beside a running set."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import sys
from typing import Final

import pytest

from tests.documentation.conftest import Stand
from tests.documentation.pages import ROOT, page, pages
from tests.end_to_end.stage import PATIENCE

PAGES: Final = [each.name for each in pages() if any(block.language == "bash" for block in each.blocks)]
PRELUDE: Final = r"""
set -euo pipefail
curl() {
    case " $* " in
        *" -sf "*) command curl "$@" ;;
        *) command curl --silent --show-error --fail-with-body "$@" ;;
    esac
    echo
}
python3() {
    [ "$1" = dev.py ]
    case "$2" in
        send | replay | search | show | tail) set -- "$@" --url "$FUNCTIONS" ;;
        template) set -- "$@" --folder templates ;;
        flow) set -- "$@" --folder flows ;;
        replies) set -- "$@" --file replies.toml --templates templates ;;
    esac
    "$PYTHON" -m local "${@:2}"
}
"""
"""an answer of 400 or more ends the script; dev.py finds the set of the tests, and its content"""

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("curl") is None, reason="needs a POSIX shell with curl"
)


async def _paste(stand: Stand, name: str) -> tuple[int, str]:
    blocks = [block.content for block in page(name).blocks if block.language == "bash"]
    script = PRELUDE + "".join(f"echo '--- block {number}'\n{block}\n" for number, block in enumerate(blocks, start=1))
    for documented, real in (
        ("http://127.0.0.1:7071", stand.stage.app.url),
        ("http://127.0.0.1:7080", stand.stage.twilio.url),
    ):
        script = script.replace(documented, real)
    env = {
        **os.environ,
        **{name: stand.stage.settings[name] for name in ("AzureWebJobsStorage", "OUTBOUND_QUEUE")},
        "PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
        "FUNCTIONS": stand.stage.app.url,
    }
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        script,
        cwd=stand.folder,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    said = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            assert process.stdout is not None
            async for line in process.stdout:
                said += line
            return await process.wait(), said.decode()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        return 1, f"{said.decode()}\nnot over after {PATIENCE} s"


@pytest.mark.parametrize("name", PAGES)
async def test_the_blocks_of_a_page_can_be_pasted_and_leave_nothing_behind(stand: Stand, name: str) -> None:
    code, said = await _paste(stand, name)
    assert code == 0, said
    await stand.stage.queue_shows_nothing()
    assert await stand.stage.search(status="scheduled") == []
    assert await stand.stage.search(status="rejected") == []
    schedules = await stand.stage.app.request("GET", "/api/schedules")
    assert schedules.json()["schedules"] == []
    async with stand.stage.session.get(f"{stand.stage.twilio.url}/simulator/faults") as faults:
        assert (await faults.json())["rules"] == []


async def test_the_call_to_the_customer_line_leaves_a_message_at_any_hour(stand: Stand) -> None:
    """The first step after `hours` is `menu` or `we_are_closed`: the call begins at each of them."""
    [written] = re.findall(r'"acts": (\[{"press": "2"}, {"press": "\*"}.*?\])', page("docs/how-to/flows.md").text)
    for step in ("menu", "we_are_closed"):
        url = f"{stand.stage.app.url}/api/voice/flow/customer-line/{step}?turn=100"
        call = {"from": "+14155550175", "to": "+15005550006", "url": url, "acts": json.loads(written)}
        sid = (await stand.stage.simulate("inbound/call", **call))["sid"]
        delivery = await stand.stage.ended(sid, "completed")
        assert [event["raw"]["event"] for event in delivery["events"] if "event" in event["raw"]] == ["voicemail"]


async def test_the_python_of_a_page_makes_a_call(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    [block] = [block.content for block in page("docs/how-to/enqueue.md").blocks if block.language == "python"]
    code = compile(block.replace('"outbound"', repr(stand.stage.settings["OUTBOUND_QUEUE"])), "page", "exec")
    monkeypatch.setenv("CONNECTION", stand.stage.settings["AzureWebJobsStorage"])
    await asyncio.to_thread(exec, code, {})
    assert (await stand.stage.ended("alarm-7", "completed"))["channel"] == "call"
