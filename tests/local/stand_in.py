"""Functions that give prepared answers, in place of running ones."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Functions:
    """What is answered, one after the other, and what was asked."""

    answers: list[tuple[int, bytes]]
    url: str = ""
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    """method, path and document"""
    keys: list[str | None] = field(default_factory=list)


@contextmanager
def functions(*answers: tuple[int, object]) -> Iterator[Functions]:
    told = Functions([(code, what if isinstance(what, bytes) else json.dumps(what).encode()) for code, what in answers])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(None)

        def do_POST(self) -> None:
            self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def answer(self, document: object) -> None:
            told.asked.append((self.command, self.path, document))
            told.keys.append(self.headers["x-functions-key"])
            code, content = told.answers.pop(0)
            self.send_response(code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        told.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()
