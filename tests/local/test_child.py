import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from local.child import Child, ChildDiedError

READY = r"^ready on (http://\S+)"
# A child that listens, tells where, and ends with its standard input.
LISTENER = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print(f"ready on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
"""


def python(program: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(program)]


def listens(url: str) -> bool:
    try:
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def wait_until_silent(url: str, *, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while listens(url) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not listens(url)


def test_a_child_is_ready_once_it_says_where_it_listens(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    child = Child("Listener", python(LISTENER + "sys.stdin.read()"), ready=READY, log=log)
    (url,) = child.wait_ready()
    assert listens(url)
    child.check()
    child.stop()
    assert not listens(url)
    assert log.read_text("utf-8").startswith("ready on")


def test_a_child_that_does_not_stop_when_asked_is_killed() -> None:
    child = Child("Stubborn", python(LISTENER + "import time; time.sleep(600)"), ready=READY)
    (url,) = child.wait_ready()
    child.stop(timeout=0.1)
    assert not listens(url)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups to sweep")
def test_what_a_child_started_is_stopped_with_it() -> None:
    grandchild = LISTENER + "import time; time.sleep(600)"
    program = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {grandchild!r}]); sys.stdin.read()"
    child = Child("Parent", python(program), ready=READY)
    (url,) = child.wait_ready()
    child.stop()
    assert wait_until_silent(url)


def test_a_child_that_ends_before_it_is_ready_is_told_with_its_last_lines() -> None:
    child = Child("Broken", python("import sys; print('no such file'); sys.exit(3)"), ready=READY)
    with pytest.raises(ChildDiedError, match=r"Broken ended with code 3 before it was ready(?s:.*)no such file"):
        child.wait_ready()
    child.stop()


def test_a_child_that_ends_later_is_noticed() -> None:
    child = Child("Mortal", python(LISTENER + "sys.stdin.readline(); print('out of memory'); sys.exit(9)"), ready=READY)
    child.wait_ready()
    child.check()
    child.stop()
    with pytest.raises(ChildDiedError, match=r"Mortal ended with code 9(?s:.*)out of memory"):
        child.check()


def test_a_child_that_is_not_ready_in_time_is_told() -> None:
    child = Child("Slow", python("import sys; sys.stdin.read()"), ready=READY)
    with pytest.raises(ChildDiedError, match=r"Slow was not ready within 0\.1 s"):
        child.wait_ready(timeout=0.1)
    child.stop()


def test_a_module_on_the_leash_stops_as_by_ctrl_c_and_cleans_up(tmp_path: Path) -> None:
    (url, child) = start_on_leash(tmp_path)
    child.stop()
    assert not listens(url)
    assert (tmp_path / "cleaned").exists()


def test_a_module_on_the_leash_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    write_module(tmp_path)
    parent = f"""
        import sys, time
        sys.path[:0] = [{str(Path(__file__).parents[2])!r}]
        from local.child import Child
        child = Child("On the leash", {leashed(tmp_path)!r}, ready={READY!r})
        print(child.wait_ready()[0], flush=True)
        time.sleep(600)
    """
    with subprocess.Popen(python(parent), stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert listens(url)
        process.kill()
    assert wait_until_silent(url)
    assert (tmp_path / "cleaned").exists()


def start_on_leash(folder: Path) -> tuple[str, Child]:
    write_module(folder)
    child = Child("On the leash", leashed(folder), ready=READY)
    (url,) = child.wait_ready()
    return url, child


def leashed(folder: Path) -> list[str]:
    program = f"import sys; sys.path.append({str(folder)!r}); from local import leash; leash.main()"
    return [sys.executable, "-c", program, "waiting_module"]


def write_module(folder: Path) -> None:
    module = f"""
        import asyncio, pathlib

        async def main():
            server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
            try:
                print(f"ready on http://127.0.0.1:{{server.sockets[0].getsockname()[1]}}", flush=True)
                await asyncio.Event().wait()
            finally:
                pathlib.Path({str(folder / "cleaned")!r}).touch()
                server.close()

        asyncio.run(main())
    """
    (folder / "waiting_module.py").write_text(textwrap.dedent(module), "utf-8")
