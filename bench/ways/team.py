"""How many teams do it: a Celery worker with Redis that calls Twilio and writes to a database, and Flask for callbacks.

The database is SQLite in the worker's own process, through SQLAlchemy: one behind a network would cost it more.
"""

import json
import os
from collections.abc import Sequence
from io import BytesIO
from typing import Any

from celery import Celery
from flask import Flask, abort, request
from sqlalchemy import Column, MetaData, String, Table, Text, create_engine, event, func, select
from sqlalchemy.engine import Engine
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from bench.forms import ACCOUNT, NUMBER, PUBLIC, TOKEN
from bench.ways.sample import TO, Callback, Sample
from bench.ways.way import Job, Place

queue = Celery("team", broker=os.environ.get("BENCH_REDIS"))
queue.conf.update(task_acks_late=True, task_ignore_result=True)
client = Client(ACCOUNT, TOKEN)
client.api.base_url = os.environ.get("BENCH_TWILIO")
web = Flask(__name__)
validator = RequestValidator(TOKEN)
metadata = MetaData()
messages = Table(
    "messages",
    metadata,
    Column("id", String, primary_key=True),
    Column("sid", String, index=True),
    Column("status", String),
    Column("recipient", String),
    Column("body", Text),
)
events = Table("events", metadata, Column("sid", String), Column("status", String), Column("payload", Text))
database = create_engine(f"sqlite:///{os.environ.get('BENCH_DATABASE')}", connect_args={"timeout": 30})


@event.listens_for(Engine, "connect")  # type: ignore[untyped-decorator]  # it may not be installed
def _with_a_log(connection: Any, _record: object) -> None:  # noqa: ANN401 - of the driver
    connection.execute("PRAGMA journal_mode=WAL")


def make_tables() -> None:
    """Make the tables."""
    metadata.create_all(database)


def count() -> int:
    """Return how many messages are on record."""
    with database.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(messages)).scalar_one())


@queue.task(name="team.send", max_retries=3)  # type: ignore[untyped-decorator]  # it may not be installed
def send(kind: str, number: str, content: str) -> None:
    """Send one message and put it on record."""
    callback = f"{PUBLIC}/status?id={number}"
    if kind == "text":
        made = client.messages.create(to=TO, from_=NUMBER, body=content, status_callback=callback)
    else:
        made = client.calls.create(to=TO, from_=NUMBER, twiml=content, status_callback=callback)
    with database.begin() as connection:
        row = {"id": number, "sid": made.sid, "status": made.status, "recipient": TO, "body": content}
        connection.execute(messages.insert(), row)


@web.post("/status")  # type: ignore[untyped-decorator]  # it may not be installed
def status() -> tuple[str, int]:
    """Put what Twilio tells on record."""
    form = request.form.to_dict()
    if not validator.validate(
        f"{PUBLIC}/status?{request.query_string.decode()}", form, request.headers.get("X-Twilio-Signature", "")
    ):
        abort(403)
    sid = form.get("MessageSid") or form["CallSid"]
    word = form.get("MessageStatus") or form["CallStatus"]
    with database.begin() as connection:
        connection.execute(events.insert(), {"sid": sid, "status": word, "payload": json.dumps(form)})
        connection.execute(messages.update().where(messages.c.sid == sid).values(status=word))
    return "", 204


class Webhooks:
    """The callbacks' part, as the web server's worker calls it."""

    def __init__(self, _place: Place) -> None:
        """Where things are stands in the environment, as the worker needs it too."""

    async def prepare(self, samples: Sequence[Sample]) -> list[Job]:
        """Write Twilio's requests."""
        return [self._job(sample) for sample in samples]

    def _job(self, sample: Sample) -> Job:
        requests = [_environment(each) for each in sample.callbacks(f"{PUBLIC}/status?id={sample.number}")]

        async def job() -> None:
            answered: list[str] = []
            for environment in requests:
                list(web.wsgi_app(environment, lambda word, _headers, _=None: answered.append(word)))
            if not all(word.startswith("204") for word in answered):
                raise SystemExit(f"expected 204 to each callback, got {answered}")

        return job

    async def close(self) -> None:
        """Close the connections."""
        database.dispose()


def _environment(callback: Callback) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/status",
        "QUERY_STRING": callback.url.partition("?")[2],
        "SERVER_NAME": "switchboard.example",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(callback.body),
        "wsgi.errors": BytesIO(),
        "CONTENT_TYPE": callback.headers["Content-Type"],
        "CONTENT_LENGTH": str(len(callback.body)),
        "HTTP_X_TWILIO_SIGNATURE": callback.headers["X-Twilio-Signature"],
    }
