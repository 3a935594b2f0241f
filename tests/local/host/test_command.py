import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

ROOT = Path(__file__).parents[3]

APP = """
import logging, os
import azure.functions as func

app = func.FunctionApp()

@app.route(route="setting/{name}", methods=["GET"])
def setting(req: func.HttpRequest) -> func.HttpResponse:
    logging.getLogger("app").info("asked for %s", req.route_params["name"])
    return func.HttpResponse(os.environ.get(req.route_params["name"], "unset"))

@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
async def yearly(timer: func.TimerRequest) -> None: ...

@app.queue_trigger(arg_name="message", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
async def work(message: func.QueueMessage) -> None: ...
"""
SETTINGS = """{"IsEncrypted": false, "Values": {
    "AzureWebJobsStorage": "AccountName=a;AccountKey=a2V5;QueueEndpoint=http://127.0.0.1:9/a;",
    "QUEUE": "from-file", "FROM_FILE": "file", "BOTH": "file"}}"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "function_app.py").write_text(APP)
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "local.settings.json").write_text(SETTINGS)
    return tmp_path


@asynccontextmanager
async def command(
    *arguments: str, module: tuple[str, ...] = ("local.host",), cwd: Path = ROOT, **environment: str
) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", *module, *arguments),
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().rstrip()


async def outcome(process: Process) -> tuple[int | None, str]:
    _, errors = await process.communicate()
    return process.returncode, errors.decode().strip()


async def refused(*arguments: str) -> str:
    """What the command says before it exits with 1, without a traceback."""
    async with command(*arguments) as process:
        code, errors = await outcome(process)
    assert code == 1
    assert "Traceback" not in errors
    return errors


async def test_it_tells_when_it_is_ready_and_what_it_runs(folder: Path) -> None:
    async with command("--port", "0", "--app", str(folder)) as process:
        ready = await line(process)
        url = ready.removeprefix("Functions host on ")
        assert urlsplit(url).hostname == "127.0.0.1"
        assert [await line(process) for _ in range(3)] == [
            f"  setting: [GET] {url}/api/setting/{{name}}",
            "  work: queue from-file",
            "  yearly: timer 0 0 0 1 1 *",
        ]


async def test_a_disabled_function_is_shown_as_such(folder: Path) -> None:
    values = json.loads(SETTINGS)
    values["Values"]["AzureWebJobs.work.Disabled"] = "true"
    (folder / "local.settings.json").write_text(json.dumps(values))
    async with command("--port", "0", "--app", str(folder)) as process:
        shown = [await line(process) for _ in range(4)]
    assert shown[2] == "  work: queue from-file (disabled)"


async def test_packages_come_before_the_modules_of_the_app(folder: Path, client: aiohttp.ClientSession) -> None:
    (folder / "jinja2.py").write_text("raise RuntimeError('the package of this name comes first')")
    (folder / "own.py").write_text("name = 'own'")
    (folder / "function_app.py").write_text(
        "import azure.functions as func\nimport jinja2, own\napp = func.FunctionApp()\n"
        "@app.route(route='names')\n"
        "def names(req: func.HttpRequest) -> str:\n    return f'{jinja2.Template.__name__} {own.name}'\n"
    )
    # As dev.py starts it, and as a person in the app's folder does.
    paths = os.pathsep.join((str(folder), str(ROOT)))
    async with command("--port", "0", cwd=folder, PYTHONPATH=paths) as process:
        url = (await line(process)).removeprefix("Functions host on ")
        assert await (await client.get(f"{url}/api/names")).text() == "Template own"


async def test_the_app_of_another_folder_is_not_taken_for_the_hosts_own(
    folder: Path, client: aiohttp.ClientSession
) -> None:
    async with command("--port", "0", "--app", str(folder), cwd=ROOT, PYTHONPATH=str(ROOT)) as process:
        url = (await line(process)).removeprefix("Functions host on ")
        assert await (await client.get(f"{url}/api/setting/FROM_FILE")).text() == "file"


HANGING = """
import os, time, uuid
import azure.functions as func

app = func.FunctionApp()
RUN = uuid.uuid4().hex

@app.route(route="run")
async def run(req: func.HttpRequest) -> str:
    return f"{RUN} {os.getpid()} {os.environ.get('FROM_FILE')} {os.environ.get('BOTH')}"

@app.route(route="hang")
def hang(req: func.HttpRequest) -> None:
    time.sleep(1000)
"""


def relative(folder: Path) -> str:
    return os.path.relpath(folder, ROOT)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot replace a process")
@pytest.mark.parametrize("module", [("local.host",), ("local.leash", "local.host")])
async def test_a_timeout_restarts_the_process_on_its_port_with_its_settings(
    folder: Path, client: aiohttp.ClientSession, module: tuple[str, ...]
) -> None:
    (folder / "function_app.py").write_text(HANGING)
    (folder / "host.json").write_text('{"version": "2.0", "functionTimeout": "00:00:00.5"}')
    async with command("--port", "0", "--app", relative(folder), module=module, BOTH="environment") as process:
        url = (await line(process)).removeprefix("Functions host on ")
        seen = []
        for _ in range(3):
            seen.append((await (await client.get(f"{url}/api/run")).text()).split())
            assert (await client.get(f"{url}/api/hang")).status == HTTPStatus.INTERNAL_SERVER_ERROR
            while not (told := await line(process)).startswith("Functions host on "):
                pass
            assert told == f"Functions host on {url}"
        process.send_signal(signal.SIGTERM)
        code, errors = await outcome(process)
    assert code == 0
    runs, *others = zip(*seen, strict=True)
    assert len(set(runs)) == 3
    assert others == [(str(process.pid),) * 3, ("file",) * 3, ("environment",) * 3]
    assert errors.count("hang did not end within 0.5 s (functionTimeout)") == 3
    assert errors.count("restarting the process after a timeout") == 3
    assert "Traceback" not in errors


async def test_the_environment_wins_over_local_settings(folder: Path, client: aiohttp.ClientSession) -> None:
    async with command("--port", "0", "--app", str(folder), BOTH="environment") as process:
        url = (await line(process)).removeprefix("Functions host on ")
        seen = {
            name: await (await client.get(f"{url}/api/setting/{name}")).text() for name in ("FROM_FILE", "BOTH", "NONE")
        }
    assert seen == {"FROM_FILE": "file", "BOTH": "environment", "NONE": "unset"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_cleanly(folder: Path, client: aiohttp.ClientSession, number: signal.Signals) -> None:
    async with command("--port", "0", "--app", str(folder)) as process:
        url = (await line(process)).removeprefix("Functions host on ")
        await client.get(f"{url}/api/setting/LOGGED")
        process.send_signal(number)
        code, errors = await outcome(process)
    assert code == 0
    assert "Traceback" not in errors
    assert "INFO app: asked for LOGGED" in errors


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
async def test_a_function_that_hangs_in_a_thread_does_not_hold_the_process(
    folder: Path, client: aiohttp.ClientSession
) -> None:
    (folder / "function_app.py").write_text(
        "import time\nimport azure.functions as func\napp = func.FunctionApp()\n"
        "@app.route(route='hang')\n"
        "def hang(req: func.HttpRequest) -> None:\n    print('hanging', flush=True)\n    time.sleep(1000)\n"
    )
    async with command("--port", "0", "--app", str(folder), "--grace", "0") as process:
        url = (await line(process)).removeprefix("Functions host on ")
        await line(process)
        asking = asyncio.create_task(client.get(f"{url}/api/hang"))
        assert await line(process) == "hanging"
        process.send_signal(signal.SIGTERM)
        assert (await outcome(process))[0] == 0
        with pytest.raises(aiohttp.ClientError):
            await asking


async def test_an_app_that_raises_is_told_without_a_traceback(folder: Path) -> None:
    (folder / "function_app.py").write_text("raise ValueError('TWILIO_ACCOUNT_SID is missing\\nand more')")
    errors = await refused("--port", "0", "--app", str(folder))
    assert errors == "function_app.py could not be loaded: TWILIO_ACCOUNT_SID is missing\nand more"


async def test_verbose_shows_where_an_app_raised(folder: Path) -> None:
    (folder / "function_app.py").write_text("raise ValueError('wrong')")
    async with command("--port", "0", "--app", str(folder), "--verbose") as process:
        code, errors = await outcome(process)
    assert code == 1
    assert 'function_app.py", line 1' in errors


async def test_an_app_without_exactly_one_function_app_is_refused(folder: Path) -> None:
    (folder / "function_app.py").write_text(
        "import azure.functions as func\na, b = func.FunctionApp(), func.FunctionApp()"
    )
    errors = await refused("--port", "0", "--app", str(folder))
    assert errors == "function_app.py must have exactly one FunctionApp at its top level, not 2"


@pytest.mark.parametrize("name", ["function_app.py", "host.json"])
async def test_a_folder_that_is_no_app_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert await refused("--port", "0", "--app", str(folder)) == f"there is no {name} in {folder}"


async def test_broken_settings_are_one_sentence(folder: Path) -> None:
    (folder / "local.settings.json").write_text("{")
    errors = await refused("--port", "0", "--app", str(folder))
    assert errors.startswith("local.settings.json is not valid JSON: ")
    assert "\n" not in errors


async def test_a_busy_port_is_one_sentence(folder: Path) -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        errors = await refused("--port", str(port), "--app", str(folder))
    assert errors.startswith(f"port {port} of 127.0.0.1 cannot be listened on: ")
    assert "\n" not in errors


@pytest.mark.parametrize("arguments", [("--port", "70000"), ("--port", "x"), ("--port", "0", "--queue-lease", "0"), ()])
async def test_arguments_that_make_no_sense_are_refused(arguments: tuple[str, ...]) -> None:
    async with command(*arguments) as process:
        code, errors = await outcome(process)
    assert code == 2
    assert "usage: python -m local.host" in errors
