"""A Chromium without a window, asked by its own protocol: https://chromedevtools.github.io/devtools-protocol/."""

import asyncio
import itertools
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.end_to_end.stage import eventually

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--remote-debugging-port=0",
)


def _runs(binary: str) -> bool:
    """Under these names stands here and there a script that only says what to install."""
    try:
        return subprocess.run((binary, "--version"), capture_output=True, check=False, timeout=30).returncode == 0  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False


BINARY: Final = next((binary for binary in map(shutil.which, _NAMES) if binary is not None and _runs(binary)), None)


class Page:
    """A page that is open."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self.told: list[str] = []
        """what stood in the console, errors and violations of the page's policy among it"""

    async def ask(self, method: str, **parameters: object) -> Any:  # noqa: ANN401 - a JSON document
        """Ask for something, and return the result."""
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json()
            if message.get("method") in {"Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"}:
                self.told.append(str(message["params"]))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    async def run(self, script: str) -> Any:  # noqa: ANN401 - whatever it comes to
        """Run a script in the page, and return what it comes to."""
        result = await self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def until(self, script: str) -> Any:  # noqa: ANN401 - whatever it comes to
        """Wait until a script comes to something, and return it."""
        return await eventually(lambda: self.run(script), lambda: self.run("document.body.innerText"))

    async def text(self, selector: str) -> str:
        """Return what can be read in an element."""
        return str(await self.run(f"document.querySelector({selector!r}).innerText"))


@asynccontextmanager
async def opened(url: str, home: Path) -> AsyncIterator[Page]:
    """Open a page in a Chromium of its own, whose profile is the empty folder `home`."""
    assert BINARY is not None
    flags = [*_FLAGS, f"--user-data-dir={home}", "--window-size=520,900", "about:blank"]
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(BINARY, *flags, stdout=quiet, stderr=quiet)
    try:
        port = await eventually(lambda: _port(process, home))
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                [target] = [each for each in await answer.json() if each["type"] == "page"]
            async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                page = Page(socket)
                for domain in ("Page", "Runtime", "Log"):
                    await page.ask(f"{domain}.enable")
                await page.ask("Page.navigate", url=url)
                await page.until("document.readyState === 'complete' && location.href !== 'about:blank'")
                yield page
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _port(process: asyncio.subprocess.Process, home: Path) -> str | None:
    assert process.returncode is None, f"Chromium did not start: it ended with {process.returncode}"
    file = home / "DevToolsActivePort"
    return file.read_text().split()[0] if file.exists() and file.read_text() else None
