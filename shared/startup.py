"""A fault while the app is loaded. On Azure the app then has no functions, and nothing else says why."""

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from shared.errors import SwitchboardError

_logger: Final = logging.getLogger(__name__)
_FRAMES: Final = 5
"""how many of the last calls are named"""


@contextmanager
def faults_told() -> Iterator[None]:
    """Say what keeps the app from being loaded, as a CRITICAL record and as one line on stderr, and raise it.

    Both, since Azure's host drops a worker's record that belongs to no invocation, and logs each line on stderr:
    https://github.com/Azure/azure-functions-host/blob/dev/src/WebJobs.Script.Grpc/Channel/GrpcWorkerChannel.cs
    No value of a setting is said: the message of an unexpected error could hold one, so its kind and place are told.
    """
    try:
        yield
    except Exception as exc:
        text = f"the app can't be loaded: {_sentence(exc)}"
        _logger.critical("%s", text)
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
        raise


def _sentence(exc: Exception) -> str:
    match exc:
        case SwitchboardError():
            return " ".join(str(exc).split())
        case OSError(strerror=str(reason), filename=str(name)):
            return f"{reason}: {name}"
        case _:
            frames = traceback.extract_tb(exc.__traceback__)[-_FRAMES:]
            places = " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
            return f"{type(exc).__name__} at {places}"
