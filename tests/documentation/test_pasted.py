"""The shell blocks of a page, pasted in page order into a shell beside a running set."""

import asyncio
import contextlib
import os
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
        send | replay) set -- "$@" --url "$FUNCTIONS" ;;
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
    for documented, real in (("http://127.0.0.1:7071", stand.stage.app.url), ("http://127.0.0.1:7080", stand.stage.twilio.url)):
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
    await stand.stage.queue_is_empty()
    assert await stand.stage.search(status="scheduled") == []
    assert await stand.stage.search(status="rejected") == []
    schedules = await stand.stage.app.request("GET", "/api/schedules")
    assert schedules.json()["schedules"] == []
    async with stand.stage.session.get(f"{stand.stage.twilio.url}/simulator/faults") as faults:
        assert (await faults.json())["rules"] == []
