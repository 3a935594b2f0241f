from tests.web.conftest import app, door, served

__all__ = ["app", "door", "served"]
