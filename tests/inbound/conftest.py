from tests.deliveries.conftest import storage
from tests.web.conftest import app, door, served

__all__ = ["app", "door", "served", "storage"]
