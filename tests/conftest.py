"""What every test may ask for."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from local import azurite as azurite_program
from tests.web.app import ROOT

# a shell that starts something in the background has it ignore Ctrl-C, and what is interrupted in here would as well
signal.signal(signal.SIGINT, signal.default_int_handler)
# how long anything takes says nothing on a machine that does other things besides
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

CONTENT_OF_THE_USER = tuple(str(ROOT / name) for name in ("templates", "flows", "replies.toml"))
MAY_READ_IT = "tests/test_content.py::test_the_content_at_the_root"


def _guard(event: str, arguments: tuple[object, ...]) -> None:
    """Fail a test that reads the templates, flows or rules at the root: the person who runs the app changes them."""
    if event not in {"open", "os.listdir", "os.scandir"}:
        return
    # a relative path may be relative to another folder: shutil.rmtree opens what it deletes that way
    path = str(arguments[0])
    if path.startswith(CONTENT_OF_THE_USER) and not os.environ.get("PYTEST_CURRENT_TEST", "").startswith(MAY_READ_IT):
        raise AssertionError(f"expected the content in tests/samples/app, got {path}")


sys.addaudithook(_guard)


@pytest.fixture(scope="session")
def azurite() -> Iterator[str]:
    """The connection string of a real Azurite, all in memory, that lives as long as the tests do."""
    try:
        child = azurite_program.start()
    except azurite_program.AzuriteMissingError as missing:
        pytest.fail(str(missing), pytrace=False)
    try:
        blob, queue, table = child.wait_ready()
        yield azurite_program.connection_string(blob=blob, queue=queue, table=table)
    finally:
        child.stop()
