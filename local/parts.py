"""The three parts of a set, each a child process: storage, the simulated Twilio, the functions."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from local import azurite
from local.child import Child
from local.errors import LocalError
from local.ports import HOST, require_different, require_free

Host = Literal["embedded", "func"]
PORT, TWILIO_PORT, STORAGE_PORT = 7071, 7080, 10000
LEASE_SECONDS = 60


class CoreToolsMissingError(LocalError):
    """`func` was asked for and is not on PATH."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a set listens and where it keeps what it writes."""

    port: int
    twilio_port: int
    storage_port: int
    home: Path

    @property
    def functions_url(self) -> str:
        """Where the functions are."""
        return f"http://{HOST}:{self.port}"

    @property
    def twilio_url(self) -> str:
        """Where the simulated Twilio is."""
        return f"http://{HOST}:{self.twilio_port}"

    @property
    def storage(self) -> str:
        """The connection string of the storage."""
        return azurite.connection_string_at(self.storage_port)

    @property
    def data(self) -> Path:
        """What the storage keeps; one folder for each port, since two Azurites must not share one."""
        return self.home / "data" / str(self.storage_port)

    def log(self, part: str, port: int) -> Path:
        """Where a part's output goes, after what the starts before wrote."""
        return self.home / "logs" / f"{part}-{port}.log"

    def require_free_ports(self) -> None:
        """Raise PortBusyError for the first port that something else listens on, or that two parts want."""
        require_different(
            {"--port": self.port, "--twilio-port": self.twilio_port}
            | {f"--storage-port + {offset}": self.storage_port + offset for offset in range(len(azurite.SERVICES))}
        )
        for offset, service in enumerate(azurite.SERVICES):
            wanted_by = f"Azurite's {service.lower()} service"
            require_free(self.storage_port + offset, wanted_by=wanted_by, option="--storage-port")
        require_free(self.twilio_port, wanted_by="the Twilio simulator", option="--twilio-port")
        require_free(self.port, wanted_by="the functions host", option="--port")


def start_storage(places: Places) -> Child:
    """Start Azurite on the three ports, with its data folder."""
    places.data.mkdir(parents=True, exist_ok=True)
    ports = azurite.Ports.from_first(places.storage_port)
    return azurite.start(ports=ports, data=places.data, log=places.log("azurite", places.storage_port))


def start_twilio(places: Places, env: Mapping[str, str]) -> Child:
    """Start the Twilio simulator, which calls the functions' webhooks."""
    options = ["--port", str(places.twilio_port), "--webhooks", places.functions_url]
    return Child(
        "The Twilio simulator",
        [sys.executable, "-m", "local.leash", "local.twilio", *options],
        ready=r"^Twilio simulator on (http://\S+)",
        log=places.log("twilio", places.twilio_port),
        env=env,
    )


def start_functions(places: Places, env: Mapping[str, str], *, host: Host) -> Child:
    """Start the functions, in Core Tools or in the embedded host."""
    log = places.log("functions", places.port)
    port = ["--port", str(places.port)]
    if host == "func":
        # Core Tools run the Python that they find first on PATH.
        here = {**env, "PATH": os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", "")])}
        func = shutil.which("func") or "func"
        # The list of functions that it prints when it has loaded them holds their URLs.
        return Child(
            "func start",
            [func, "start", *port],
            ready=r"\[.*\] (http://\S+)",
            log=log,
            env=here,
            stops_by_signal=True,
        )
    # a minute, where Azure's host has ten: whoever kills the functions here waits for what they were at
    lease = ["--queue-lease", str(LEASE_SECONDS)]
    command = [sys.executable, "-m", "local.leash", "local.host", *port, *lease]
    return Child("The functions host", command, ready=r"^Functions host on (http://\S+)", log=log, env=env)


def choose_host(wanted: Host | None) -> Host:
    """The host that was asked for, else Core Tools where they are installed; raises CoreToolsMissingError."""
    installed = shutil.which("func") is not None
    if wanted == "func" and not installed:
        raise CoreToolsMissingError("--host func needs Azure Functions Core Tools, and `func` is not on PATH.")
    return wanted or ("func" if installed else "embedded")
