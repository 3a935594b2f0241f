"""docs/browser-phone in Chromium, with Twilio's Voice SDK from npm, as far as it goes without Twilio."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.end_to_end import chromium
from tests.end_to_end.chromium import Page, opened
from tests.voice.test_tokens import KEYS
from tests.web.app import ROOT, Served, environment, settings_of

PHONE = ROOT / "docs" / "browser-phone"
FILES = ("index.html", "phone.css", "phone.js", "serve.mjs", "package.json", "package-lock.json")
UNREACHED = "Twilio can not be reached from here. It is tried again until you go offline."
# A Device whose Twilio does as the test says; its calls and their events have the names of the real ones.
STAND_IN = """
class Emitter {
  handlers = {};
  on(name, handler) { (this.handlers[name] ??= []).push(handler); }
  emit(name, ...told) { for (const handler of this.handlers[name] ?? []) handler(...told); }
}
class Call extends Emitter {
  parameters = {From: "+14155550100"};
  customParameters = new Map([["caller", "<b>+14155550177</b>"]]);
  did = [];
  muted = false;
  accept() { this.did.push("accept"); this.emit("accept"); }
  reject() { this.did.push("reject"); this.emit("reject"); }
  disconnect() { this.did.push("disconnect"); this.emit("disconnect"); }
  mute(on) { this.muted = on; this.emit("mute", on); }
  isMuted() { return this.muted; }
  sendDigits(keys) { this.did.push(keys); }
}
globalThis.made = {};
Twilio.Device = class extends Emitter {
  state = "unregistered";
  constructor(token) { super(); Object.assign(made, {device: this, token}); }
  async register() { this.state = "registered"; this.emit("registered"); }
  async connect({params}) { made.params = params; return made.call = new Call(); }
  ring() { made.call = new Call(); this.emit("incoming", made.call); }
  destroy() { this.state = "destroyed"; }
};
"""

pytestmark = pytest.mark.skipif(
    chromium.BINARY is None or shutil.which("npm") is None, reason="needs Chromium and npm, which are not both here"
)


@pytest.fixture(scope="module")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page, with what it needs from npm."""
    folder = tmp_path_factory.mktemp("browser-phone")
    for name in FILES:
        shutil.copy(PHONE / name, folder)
    install = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
    npm = await asyncio.create_subprocess_exec(*install, cwd=folder, stdout=asyncio.subprocess.DEVNULL)
    assert await npm.wait() == 0
    return folder


@pytest.fixture
async def phone(azurite: str, folder: Path, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """The page in a browser, served as its documentation says, before the app."""
    async with Served.start(settings_of(azurite, **getattr(request, "param", KEYS))) as app:
        env = environment({"SWITCHBOARD": app.url, "PORT": "0"})
        output = asyncio.subprocess.PIPE
        server = await asyncio.create_subprocess_exec("node", "serve.mjs", cwd=folder, env=env, stdout=output)
        assert server.stdout is not None
        [url] = [word for word in (await server.stdout.readline()).decode().split() if word.endswith(",")]
        try:
            async with opened(url.rstrip(","), tmp_path) as page:
                yield page
        finally:
            server.terminate()
            await server.wait()


async def _go_online(phone: Page) -> None:
    await phone.run("document.querySelector('[name=identity]').value = 'anna'")
    await phone.run("document.querySelector('#go-online').click()")


async def _is(phone: Page, state: str) -> None:
    await phone.until(f"document.querySelector('#state').dataset.state === '{state}'")


async def test_the_page_gets_a_token_and_says_in_a_sentence_that_twilio_is_not_there(phone: Page) -> None:
    await _go_online(phone)
    await phone.until("!document.querySelector('#trouble').hidden")
    assert await phone.text("#trouble") == UNREACHED
    assert "There is a token for anna" in await phone.text("#log")
    sockets = [told for told in phone.told if "wss://voice-js.roaming.twilio.com" in told]
    assert sockets, "the SDK has tried to reach Twilio"
    assert not [told for told in phone.told if "Content Security Policy" in told]
    await phone.run("document.querySelector('#go-offline').click()")
    await _is(phone, "offline")
    assert await phone.run("document.querySelector('#trouble').hidden"), "nothing is tried any more"


@pytest.mark.parametrize("phone", [{}], indirect=True)
async def test_the_page_says_what_the_app_says_where_it_gives_no_token(phone: Page) -> None:
    await _go_online(phone)
    await _is(phone, "offline")
    said = await phone.until("document.querySelector('#trouble').innerText")
    assert "HTTP 501" in said
    assert "TWILIO_API_KEY_SID, TWILIO_API_KEY_SECRET, TWILIO_TWIML_APP_SID" in said


async def test_calls_are_made_answered_muted_and_hung_up(phone: Page) -> None:
    await phone.run(STAND_IN)
    await _go_online(phone)
    await _is(phone, "ready")
    assert (await phone.run("made.token")).count(".") == 2

    await phone.run("document.querySelector('[name=to]').value = '+1 (415) 555-0100'")
    await phone.run("document.querySelector('#dial').click()")
    assert await phone.until("made.params") == {"To": "+14155550100"}
    await phone.run("made.call.emit('ringing')")
    await _is(phone, "ringing")
    await phone.run("made.call.emit('accept')")
    await _is(phone, "talking")
    await phone.run("document.querySelector('#mute').click(); document.querySelectorAll('#keys button')[4].click()")
    assert await phone.run("[made.call.muted, document.querySelector('#mute').ariaPressed]") == [True, "true"]
    await phone.run("document.querySelector('#hang-up').click()")
    await _is(phone, "ready")
    assert await phone.run("made.call.did") == ["5", "disconnect"]

    await phone.run("made.device.ring()")
    await _is(phone, "incoming")
    assert await phone.text("#caller") == "<b>+14155550177</b> calls."
    await phone.run("document.querySelector('#answer').click()")
    await _is(phone, "talking")
    assert await phone.text("#other-end") == "<b>+14155550177</b>"
    await phone.run("made.call.disconnect(); made.device.ring(); document.querySelector('#decline').click()")
    await _is(phone, "ready")
    assert await phone.run("made.call.did") == ["reject"]


async def test_who_calls_while_it_rings_hears_that_the_line_is_busy(phone: Page) -> None:
    await phone.run(STAND_IN)
    await _go_online(phone)
    await _is(phone, "ready")
    await phone.run("made.device.ring(); made.first = made.call; made.device.ring()")
    assert await phone.run("[made.first.did, made.call.did]") == [[], ["reject"]]
    await phone.run("document.querySelector('#answer').click()")
    await _is(phone, "talking")
    assert await phone.run("made.first.did") == ["accept"]


async def test_a_token_that_is_refused_ends_no_conversation(phone: Page) -> None:
    await phone.run(STAND_IN)
    await _go_online(phone)
    await _is(phone, "ready")
    refused = "made.device.emit('error', {code: 20104, message: 'Access Token expired'})"
    await phone.run(f"made.device.ring(); document.querySelector('#answer').click(); {refused}")
    await _is(phone, "talking")
    assert "code 20104" in await phone.text("#trouble")
    await phone.run(f"made.call.disconnect(); {refused}")
    await _is(phone, "offline")
    assert "code 20104" in await phone.text("#trouble")


async def test_who_goes_offline_before_the_token_comes_stays_offline(phone: Page) -> None:
    await phone.run(STAND_IN)
    await phone.run(
        "const ask = fetch; globalThis.fetch = (...told) => new Promise((go) => { made.go = () => go(ask(...told)); })"
    )
    await _go_online(phone)
    await phone.until("made.go !== undefined")
    await phone.run("document.querySelector('#go-offline').click(); made.go()")
    await phone.until("document.querySelector('#log').innerText.includes('There is a token')")
    assert await phone.run("made.device === undefined")
    await _is(phone, "offline")
