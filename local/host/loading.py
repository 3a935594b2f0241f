"""Finding the FunctionApp of a folder's function_app.py."""

import importlib
import sys
from pathlib import Path

import azure.functions as func

from local.host.errors import HostError

_MODULE = "function_app"


def load(app: Path) -> func.FunctionApp:
    """Import function_app.py, with its folder first on the path, as Azure does, and return its one FunctionApp.

    Raises HostError where there is none, or more than one. What the module itself raises goes through.
    """
    if not (app / f"{_MODULE}.py").is_file():
        raise HostError(f"there is no {_MODULE}.py in {app}")
    if str(app) in sys.path:
        sys.path.remove(str(app))
    sys.path.insert(0, str(app))
    module = importlib.import_module(_MODULE)
    found = {id(value): value for value in vars(module).values() if isinstance(value, func.FunctionApp)}
    if len(found) != 1:
        raise HostError(f"{_MODULE}.py must have exactly one FunctionApp at its top level, not {len(found)}")
    return next(iter(found.values()))
