"""An Azurite for those measurements that storage itself is part of."""

from collections.abc import Iterator
from contextlib import contextmanager

from local import azurite


@contextmanager
def azurite_running() -> Iterator[str]:
    """Run one in memory until the block is left; its connection string."""
    child = azurite.start()
    try:
        blob, queue, table = child.wait_ready()
        yield azurite.connection_string(blob=blob, queue=queue, table=table)
    finally:
        child.stop()
