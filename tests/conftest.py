"""What every test may ask for."""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from local import azurite as azurite_program

# a shell that starts something in the background has it ignore Ctrl-C, and what is interrupted in here would as well
signal.signal(signal.SIGINT, signal.default_int_handler)
# how long anything takes says nothing on a machine that does other things besides
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


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
