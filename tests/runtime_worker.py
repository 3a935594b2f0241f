"""The host's side of Microsoft's Python worker, as far as it takes to load an app and call its functions.

`python -m tests.runtime_worker` in the app's folder: a JSON list of invocations comes in on standard input, a JSON
document with what was indexed and what was answered goes out. The worker's messages are protocol buffers
(https://github.com/Azure/azure-functions-language-worker-protobuf); here a plain object stands in for each of them.
Bytes travel as base64.
"""

import asyncio
import base64
import json
import sys
from types import SimpleNamespace
from typing import Any


class Data(SimpleNamespace):
    """TypedData: one value, and which kind it is."""

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protocol buffers' own name
        """Say which kind of value is there."""
        return next(iter(vars(self)), None)


class Parameter(SimpleNamespace):
    """ParameterBinding: a name and its data."""

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protocol buffers' own name
        """Say where the data is: in the message itself."""
        return "data"


class BindingInfo(SimpleNamespace):
    """A binding as the worker reports it."""

    out = 1
    inout = 2


class StatusResult(SimpleNamespace):
    """How something went."""

    Failure = 0
    Success = 1


class Reply(SimpleNamespace):
    """Any other message: whatever the worker says in it."""


PROTOS = SimpleNamespace(
    BindingInfo=BindingInfo,
    StatusResult=StatusResult,
    TypedData=Data,
    ParameterBinding=Parameter,
    **dict.fromkeys(
        (
            "FunctionMetadataResponse",
            "InvocationResponse",
            "RpcException",
            "RpcFunctionMetadata",
            "RpcHttp",
            "RpcRetryOptions",
            "WorkerInitResponse",
            "WorkerMetadata",
        ),
        Reply,
    ),
)


def _request(**kinds: Any) -> SimpleNamespace:  # noqa: ANN401 - stand-ins for any message
    properties = {"host": "127.0.0.1", "protos": PROTOS}
    return SimpleNamespace(request=SimpleNamespace(**kinds), properties=properties)


def _checked(reply: Any) -> Any:  # noqa: ANN401 - a stand-in for any message
    if reply.result.status != StatusResult.Success:
        raise RuntimeError(reply.result.exception.message + "\n" + reply.result.exception.stack_trace)
    return reply


async def _index(app: str) -> list[Any]:
    from azure_functions_runtime import handle_event  # noqa: PLC0415 - only Python 3.13 and later have it

    init = SimpleNamespace(capabilities={}, function_app_directory=app)
    _checked(await handle_event.worker_init_request(_request(worker_init_request=init)))
    found: list[Any] = _checked(await handle_event.functions_metadata_request(_request())).function_metadata_results
    return found


async def _invoke(function: Any, invocation: dict[str, Any]) -> Any:  # noqa: ANN401 - stand-ins and JSON
    from azure_functions_runtime import handle_event  # noqa: PLC0415 - only Python 3.13 and later have it

    name, data = _http(invocation["http"]) if "http" in invocation else _queue(invocation["queue"])
    metadata = {key: Data(string=value) for key, value in invocation.get("metadata", {}).items()}
    message = SimpleNamespace(
        invocation_id="an-invocation",
        function_id=function.function_id,
        input_data=[Parameter(name=name, data=data)],
        trigger_metadata=metadata,
        trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
        retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
    )
    reply = _checked(await handle_event.invocation_request(_request(invocation_request=message)))
    if reply.return_value is None:
        return None
    http = reply.return_value.http
    body = base64.b64encode(http.body.bytes).decode()
    return {"status": int(http.status_code), "headers": http.headers, "body": body}


def _queue(content: dict[str, str]) -> tuple[str, Data]:
    if "text" in content:
        return "message", Data(string=content["text"])
    return "message", Data(bytes=base64.b64decode(content["bytes"]))


def _http(asked: dict[str, Any]) -> tuple[str, Data]:
    http = SimpleNamespace(
        method=asked["method"],
        url=asked["url"],
        headers=asked.get("headers", {}),
        params=asked.get("params", {}),
        query={},
        body=Data(bytes=base64.b64decode(asked.get("body", ""))),
    )
    return "req", Data(http=http)


async def _main() -> None:
    functions = {function.name: function for function in await _index(sys.argv[1])}
    answers = [await _invoke(functions[asked["function"]], asked) for asked in json.load(sys.stdin)]
    indexed = {name: [json.loads(raw) for raw in function.raw_bindings] for name, function in functions.items()}
    print(json.dumps({"indexed": indexed, "answers": answers}))  # noqa: T201 - this is how it answers


if __name__ == "__main__":
    asyncio.run(_main())
