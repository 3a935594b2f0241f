"""The producers that the docs show: what they put into the queue stays there however long the app is stopped."""

import re
from pathlib import Path

import pytest
from azure.storage.queue import QueueClient, QueueMessage

from local.enqueue import put
from tests.web.storage import connection_to

ROOT = Path(__file__).resolve().parents[1]
PAGES = [path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))]
PRODUCERS = [
    (r"queue\.send_message\(.*?\n\)\n", "time_to_live=-1"),
    (r"SendMessageAsync\(.*?\);\n", "timeToLive: TimeSpan.FromSeconds(-1)"),
    (r"az storage message put .*?\n```", "--time-to-live -1"),
]


@pytest.mark.parametrize(("call", "life"), PRODUCERS, ids=["Python", "C#", "Azure CLI"])
def test_a_message_of_an_example_never_expires(call: str, life: str) -> None:
    found = [one for page in PAGES for one in re.findall(call, page, re.DOTALL)]
    assert found != []
    assert [one for one in found if life not in one] == []


def test_what_dev_py_enqueues_never_expires() -> None:
    lives: list[object] = []

    class Listening(QueueClient):
        def send_message(self, *_: object, time_to_live: int | None = None, **__: object) -> QueueMessage:
            lives.append(time_to_live)
            return QueueMessage()

    put(Listening.from_connection_string(connection_to(1), "outbound"), {"id": "order-1"})
    assert lives == [-1]
