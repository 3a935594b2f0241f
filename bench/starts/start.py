"""`python start.py APP BEGUN`: start an app, answer the webhook that comes as JSON by standard input, say what it took.

BEGUN is when the process was asked for, by time.monotonic, which is one clock for all processes of a machine. What
this file imports before the app is what every app imports.
"""

import importlib
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Start, answer, tell."""
    name, begun = sys.argv[1], float(sys.argv[2])
    marks: dict[str, Any] = {}
    functions = {
        function.get_function_name(): function for function in importlib.import_module(name).app.get_functions()
    }
    marks["indexed"] = [time.process_time(), time.monotonic() - begun]
    import asyncio  # noqa: PLC0415 - azure.functions has it by now
    import json  # noqa: PLC0415 - so it has this

    if asked := json.load(sys.stdin):
        import azure.functions as func  # noqa: PLC0415 - it is the app's

        req = func.HttpRequest(
            method="POST",
            url=f"http://internal.invalid{asked['target']}",
            headers=asked["headers"],
            body=asked["body"].encode(),
        )
        response = asyncio.run(functions[asked["function"]].get_user_function()(req))
        marks["answered"] = [time.process_time(), time.monotonic() - begun]
        marks["status"] = response.status_code
    marks["modules"] = sorted(sys.modules)
    marks["memory"] = _most_memory()
    print(json.dumps(marks))


def _most_memory() -> float | None:
    """Return the most memory this process had, in MB, where the system tells (Linux)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    lines = status.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


main()
