"""The JSON Schema of a send request, made from the code: `python -m shared.outbound.schema > request.schema.json`."""

import sys
from typing import Any

import msgspec

from shared.outbound.request import Request


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a request, as it stands in request.schema.json."""
    schema = msgspec.json.schema(Request)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Switchboard send request", **schema}


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(json_schema()), indent=2) + b"\n")
