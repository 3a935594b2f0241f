"""Finding the FunctionApp of a folder's function_app.py."""

import importlib
import sys
from pathlib import Path

import azure.functions as func

from local.host.errors import HostError

_MODULE = "function_app"
_CHECKOUT = Path(__file__).resolve().parents[2]


def load(app: Path) -> func.FunctionApp:
    """Import function_app.py, with its folder last on the path, as Azure does, and return its one FunctionApp.

    An installed package hides a module of the app that has its name: prioritize_customer_dependencies in
    https://github.com/Azure/azure-functions-python-worker.

    Raises HostError where there is none, or more than one. What the module itself raises goes through.
    """
    if not (app / f"{_MODULE}.py").is_file():
        raise HostError(f"there is no {_MODULE}.py in {app}")
    for folder in dict.fromkeys((app.resolve(), _CHECKOUT)):
        _move_to_the_end(folder)
    module = importlib.import_module(_MODULE)
    found = {id(value): value for value in vars(module).values() if isinstance(value, func.FunctionApp)}
    if len(found) != 1:
        raise HostError(f"{_MODULE}.py must have exactly one FunctionApp at its top level, not {len(found)}")
    return next(iter(found.values()))


def _move_to_the_end(folder: Path) -> None:
    # `python -m` and PYTHONPATH put a folder first, and perhaps by another name: "" is the present one.
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != folder]
    sys.path.append(str(folder))
