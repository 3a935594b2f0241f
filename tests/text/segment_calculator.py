"""Twilio's own segment calculator, the npm package `sms-segments-calculator`, where npm can install it."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from local.azurite import ROOT, node_on_path

HERE = Path(__file__).parent / "calculator"
FOLDER = ROOT / ".switchboard" / "calculator"
INSTALL = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=0"]
SECONDS = 120


class CalculatorMissingError(Exception):
    """The calculator is not here, and npm could not bring it."""


def count_all(texts: Iterable[str]) -> list[tuple[str, int]]:
    """Return the encoding and the number of segments of each text; raises CalculatorMissingError."""
    node = node_on_path()
    if node is None:
        raise CalculatorMissingError("Node.js is not on this machine")
    lines = "\n".join(map(json.dumps, texts))
    ran = subprocess.run(  # noqa: S603 - our own program
        [node, "count.cjs"], cwd=_installed(), input=lines, encoding="utf-8", capture_output=True, check=True
    )
    # a line of JSON may hold U+2028
    return [(encoding, segments) for encoding, segments in map(json.loads, ran.stdout.rstrip("\n").split("\n"))]


def _installed() -> Path:
    if _is_current():
        return FOLDER
    npm = shutil.which("npm")
    if npm is None:
        raise CalculatorMissingError("npm is not on this machine")
    FOLDER.parent.mkdir(exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix="calculator.", dir=FOLDER.parent))
    try:
        shutil.copytree(HERE, made, dirs_exist_ok=True)
        ran = subprocess.run(  # noqa: S603 - found on PATH
            [npm, *INSTALL], cwd=made, capture_output=True, text=True, check=False, timeout=SECONDS
        )
        if ran.returncode:
            raise CalculatorMissingError(f"npm could not install it: {ran.stderr.strip()[:200]}")
        if not _is_current():
            shutil.rmtree(FOLDER, ignore_errors=True)
            made.rename(FOLDER)
    except subprocess.TimeoutExpired as late:
        raise CalculatorMissingError(f"npm did not install it in {SECONDS} s") from late
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return FOLDER


def _is_current() -> bool:
    """Whether the versions of the lock file, and this program, are there whole."""
    return (FOLDER / "node_modules" / ".package-lock.json").is_file() and all(
        (FOLDER / source.name).is_file() and (FOLDER / source.name).read_bytes() == source.read_bytes()
        for source in HERE.iterdir()
        if source.is_file()
    )
