import asyncio
import gzip
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp
import azure.functions as func
import pytest
from yarl import URL

from local.host import Host, HostError


def echo(req: func.HttpRequest) -> func.HttpResponse:
    """Tell what the function was given."""
    seen = {
        "method": req.method,
        "url": req.url,
        "params": dict(req.params),
        "route": dict(req.route_params),
        "headers": dict(req.headers),
        "body": req.get_body().decode("latin-1"),
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json")


@asynccontextmanager
async def serving(
    call: Callable[..., object],
    *,
    route: str = "echo/{*rest}",
    methods: list[str] | None = None,
    host_json: dict[str, object] | None = None,
    settings: dict[str, str] | None = None,
    grace_seconds: float = 10,
) -> AsyncIterator[Host]:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
    app.route(route=route, methods=methods)(call)
    async with Host.start(app=app, host_json=host_json, settings=settings, grace_seconds=grace_seconds) as host:
        yield host


async def exchange(host: Host, request: bytes) -> bytes:
    """Send raw bytes, and return all that comes back until the host closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(host.url).port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


async def test_path_and_query_arrive_exactly_as_they_were_sent(client: aiohttp.ClientSession) -> None:
    target = "/api/echo/a%2Fb%20c/%C3%A4~%7e?b=2&a=%31+1&blank=&a=x%2Bx&flag"
    async with serving(echo) as host:
        answer = await client.get(URL(host.url + target, encoded=True))
        seen = await answer.json()
    assert seen["url"] == host.url + target


async def test_the_host_header_is_part_of_the_url(client: aiohttp.ClientSession) -> None:
    async with serving(echo) as host:
        answer = await client.get(f"{host.url}/api/echo", headers={"Host": "hooks.example.com:8443"})
        seen = await answer.json()
    assert seen["url"] == "http://hooks.example.com:8443/api/echo"


async def test_a_target_in_absolute_form_is_served_like_any_other() -> None:
    request = b"GET http://elsewhere.example/api/echo/x?q=1 HTTP/1.1\r\nHost: h.example\r\nConnection: close\r\n\r\n"
    async with serving(echo) as host:
        answer = await exchange(host, request)
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["url"] == "http://h.example/api/echo/x?q=1"


async def test_params_lose_blank_values_and_join_repeated_ones(client: aiohttp.ClientSession) -> None:
    async with serving(echo) as host:
        answer = await client.get(URL(f"{host.url}/api/echo?a=1&b=&A=2%2C3&c=x+y&flag&d=&d=4", encoded=True))
        seen = await answer.json()
    assert seen["params"] == {"a": "1,2,3", "c": "x y", "d": ",4"}


async def test_repeated_headers_are_joined_by_commas() -> None:
    request = b"GET /api/echo HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nx-one: 2\r\nX-Empty:\r\nConnection: close\r\n\r\n"
    async with serving(echo) as host:
        answer = await exchange(host, request)
    headers = json.loads(answer.partition(b"\r\n\r\n")[2])["headers"]
    assert (headers["x-one"], headers["x-empty"]) == ("1,2", "")


async def test_a_body_arrives_byte_for_byte_even_a_compressed_one(client: aiohttp.ClientSession) -> None:
    body = gzip.compress(bytes(range(256)))
    async with serving(echo, methods=["POST"]) as host:
        answer = await client.post(f"{host.url}/api/echo", data=body, headers={"Content-Encoding": "gzip"})
        seen = await answer.json()
    assert seen["body"].encode("latin-1") == body


async def test_a_form_keeps_blank_and_repeated_fields(client: aiohttp.ClientSession) -> None:
    def fields(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(json.dumps(list(req.form.items(multi=True))))

    async with serving(fields, route="form") as host:
        answer = await client.post(
            f"{host.url}/api/form",
            data="A=1&B=&A=2",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        seen = json.loads(await answer.text())
    assert sorted(seen) == [["A", "1"], ["A", "2"], ["B", ""]]


async def test_a_chunked_body_arrives_empty(client: aiohttp.ClientSession) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"lost"

    async with serving(echo) as host:
        answer = await client.post(f"{host.url}/api/echo", data=chunks())
        seen = await answer.json()
    assert seen["body"] == ""
    assert "content-length" not in seen["headers"]


async def test_a_client_that_waits_for_100_continue_gets_it(client: aiohttp.ClientSession) -> None:
    async with serving(echo) as host:
        answer = await client.post(f"{host.url}/api/echo", data=b"large", expect100=True)
        seen = await answer.json()
    assert seen["body"] == "large"


async def test_a_body_over_100_mb_is_refused_without_being_read() -> None:
    request = (
        b"POST /api/echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
        b"Content-Length: 104857601\r\nConnection: close\r\n\r\n"
    )
    async with serving(echo) as host:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(host.url).port)
        writer.write(request)
        status_line = await reader.readline()
        writer.close()
    assert status_line.split()[1] == b"413"


@pytest.mark.parametrize(
    "head",
    [
        b"GET /api/echo/\xff HTTP/1.1\r\nHost: h\r\n",
        b"GET /api/echo HTTP/1.1\r\nHost: h\r\nX-Name: \xff\r\n",
        b"GET /api/echo HTTP/1.1\r\nHost: h\r\nnot a header\r\n",
    ],
)
async def test_bytes_that_are_no_http_are_400(head: bytes) -> None:
    async with serving(echo) as host:
        answer = await exchange(host, head + b"Connection: close\r\n\r\n")
    assert answer.split()[1] == b"400"


async def test_a_route_that_nobody_has_is_404_without_a_body(client: aiohttp.ClientSession) -> None:
    async with serving(echo) as host:
        for path in ("/", "/echo", "/api", "/api/other", "/API2/echo"):
            answer = await client.get(host.url + path)
            assert (answer.status, await answer.read()) == (HTTPStatus.NOT_FOUND, b"")


async def test_a_method_that_the_function_does_not_take_is_404_as_on_azure(client: aiohttp.ClientSession) -> None:
    async with serving(echo, methods=["POST"]) as host:
        statuses = {
            method: (await client.request(method, f"{host.url}/api/echo")).status for method in ("POST", "GET", "HEAD")
        }
    assert statuses == {"POST": 200, "GET": 404, "HEAD": 404}


async def test_a_function_without_methods_takes_all_of_them(client: aiohttp.ClientSession) -> None:
    async with serving(echo) as host:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            answer = await client.request(method, f"{host.url}/api/echo")
            assert (await answer.json())["method"] == method
        head = await client.head(f"{host.url}/api/echo")
        assert (head.status, await head.read()) == (HTTPStatus.OK, b"")


@pytest.mark.parametrize(("prefix", "path"), [("hooks/v1", "/hooks/v1/echo"), ("", "/echo")])
async def test_the_prefix_comes_from_host_json(client: aiohttp.ClientSession, prefix: str, path: str) -> None:
    async with serving(echo, host_json={"version": "2.0", "extensions": {"http": {"routePrefix": prefix}}}) as host:
        answer = await client.get(host.url + path)
        assert answer.status == HTTPStatus.OK


async def test_a_route_without_a_name_is_the_functions_name(client: aiohttp.ClientSession) -> None:
    app = func.FunctionApp()
    app.route()(echo)
    async with Host.start(app=app) as host:
        assert (await client.get(f"{host.url}/api/echo")).status == HTTPStatus.OK


async def test_function_keys_are_not_checked(client: aiohttp.ClientSession) -> None:
    async with serving(echo) as host:
        assert (await client.get(f"{host.url}/api/echo")).status == HTTPStatus.OK


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_function_that_raises_is_500_without_a_body_and_is_logged(
    client: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture, *, is_async: bool
) -> None:
    async def async_fault(req: func.HttpRequest) -> str:
        raise KeyError("secret of the caller")

    def sync_fault(req: func.HttpRequest) -> str:
        raise KeyError("secret of the caller")

    async with serving(async_fault if is_async else sync_fault, route="fault") as host:
        answer = await client.get(f"{host.url}/api/fault")
        assert (answer.status, await answer.read()) == (HTTPStatus.INTERNAL_SERVER_ERROR, b"")
    assert "fault raised" in caplog.text


async def test_a_function_that_takes_too_long_is_500(
    client: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    async def slow(req: func.HttpRequest) -> str:
        await asyncio.Event().wait()
        return ""

    async with serving(slow, route="slow", host_json={"version": "2.0", "functionTimeout": "00:00:00.05"}) as host:
        assert (await client.get(f"{host.url}/api/slow")).status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert "slow did not end within 0.05 s" in caplog.text


async def test_what_runs_when_a_function_times_out_is_500_too_and_nothing_of_it_goes_on(
    client: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    asked = asyncio.Semaphore(0)
    ended: list[str] = []

    async def slow(req: func.HttpRequest) -> str:
        asked.release()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(req.params["who"])
        return ""

    host_json: dict[str, object] = {"version": "2.0", "functionTimeout": "00:00:01"}
    async with serving(slow, route="slow", host_json=host_json) as host:
        first = asyncio.create_task(client.get(f"{host.url}/api/slow?who=first"))
        await asked.acquire()
        # Later, so that it has time left when the first one has none.
        await asyncio.sleep(0.2)
        second = asyncio.create_task(client.get(f"{host.url}/api/slow?who=second"))
        await host.watch()
        answers = await asyncio.gather(first, second)
    assert [answer.status for answer in answers] == [HTTPStatus.INTERNAL_SERVER_ERROR] * 2
    assert sorted(ended) == ["first", "second"]
    assert caplog.text.count("slow did not end within 1 s (functionTimeout)") == 1


async def test_a_function_that_goes_on_after_its_time_has_failed_all_the_same(client: aiohttp.ClientSession) -> None:
    async def stubborn(req: func.HttpRequest) -> str:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return "done"

    host_json: dict[str, object] = {"version": "2.0", "functionTimeout": "00:00:00.05"}
    async with serving(stubborn, route="stubborn", host_json=host_json) as host:
        assert (await client.get(f"{host.url}/api/stubborn")).status == HTTPStatus.INTERNAL_SERVER_ERROR


async def test_a_disabled_function_is_404_and_its_route_still_hides_the_others(client: aiohttp.ClientSession) -> None:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
    for name, route in {"a": "same", "b": "{any}"}.items():
        app.function_name(name)(app.route(route=route)(lambda req: func.HttpResponse("here")))
    async with Host.start(app=app, settings={"AzureWebJobs.a.Disabled": "1"}) as host:
        assert (await client.get(f"{host.url}/api/same")).status == HTTPStatus.NOT_FOUND
        assert (await client.get(f"{host.url}/api/other")).status == HTTPStatus.OK


async def test_a_setting_overrides_the_prefix_of_host_json(client: aiohttp.ClientSession) -> None:
    override = {"AzureFunctionsJobHost__extensions__http__routePrefix": "v1"}
    async with serving(echo, settings=override) as host:
        assert (await client.get(f"{host.url}/v1/echo")).status == HTTPStatus.OK
        assert (await client.get(f"{host.url}/api/echo")).status == HTTPStatus.NOT_FOUND


async def test_a_function_that_cancels_itself_is_500_and_the_host_lives_on(client: aiohttp.ClientSession) -> None:
    async def odd(req: func.HttpRequest) -> str:
        raise asyncio.CancelledError

    async with serving(odd, route="odd") as host:
        for _ in range(2):
            assert (await client.get(f"{host.url}/api/odd")).status == HTTPStatus.INTERNAL_SERVER_ERROR


@pytest.mark.parametrize("result", [42, b"bytes", func.HttpResponse(headers={"X-Null": "a\x00b"})])
async def test_what_cannot_be_an_answer_is_500(client: aiohttp.ClientSession, result: object) -> None:
    async with serving(lambda req: result, route="odd") as host:
        assert (await client.get(f"{host.url}/api/odd")).status == HTTPStatus.INTERNAL_SERVER_ERROR


async def test_a_string_is_plain_text_and_nothing_is_204(client: aiohttp.ClientSession) -> None:
    async with serving(lambda req: "grüß" if req.method == "GET" else None, route="text") as host:
        answer = await client.get(f"{host.url}/api/text")
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert await answer.text() == "grüß"
        assert (await client.post(f"{host.url}/api/text")).status == HTTPStatus.NO_CONTENT


@pytest.mark.parametrize(
    ("response", "content_type"),
    [
        (func.HttpResponse("<Response/>", mimetype="text/xml"), "text/xml; charset=utf-8"),
        (func.HttpResponse("{}", mimetype="application/json"), "application/json"),
        (func.HttpResponse("{}", headers={"Content-Type": "application/problem+json"}), "application/problem+json"),
    ],
)
async def test_text_gets_a_charset_and_a_given_content_type_stays(
    client: aiohttp.ClientSession, response: func.HttpResponse, content_type: str
) -> None:
    async with serving(lambda req: response, route="typed") as host:
        answer = await client.get(f"{host.url}/api/typed")
        assert answer.headers["Content-Type"] == content_type


async def test_status_headers_and_cookies_reach_the_client(client: aiohttp.ClientSession) -> None:
    response = func.HttpResponse(b"\x00\xff", status_code=HTTPStatus.ACCEPTED, headers={"Location": "/api/x"})
    response.headers.add("Set-Cookie", "a=1")
    response.headers.add("Set-Cookie", "b=2")
    async with serving(lambda req: response, route="full") as host:
        answer = await client.get(f"{host.url}/api/full")
        assert answer.status == HTTPStatus.ACCEPTED
        assert answer.headers["Location"] == "/api/x"
        assert answer.headers.getall("Set-Cookie") == ["a=1", "b=2"]
        assert await answer.read() == b"\x00\xff"


async def test_204_has_no_body() -> None:
    async with serving(lambda req: func.HttpResponse(status_code=204), route="none") as host:
        answer = await exchange(host, b"GET /api/none HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 204 ")
    assert answer.endswith(b"\r\n\r\n")
    assert b"content-length" not in answer.lower()


async def test_async_functions_run_on_the_hosts_loop_and_sync_ones_in_threads(client: aiohttp.ClientSession) -> None:
    threads: list[threading.Thread] = []

    async def on_loop(req: func.HttpRequest) -> None:
        threads.append(threading.current_thread())

    def in_thread(req: func.HttpRequest) -> None:
        threads.append(threading.current_thread())

    for call in (on_loop, in_thread):
        async with serving(call, route="where") as host:
            await client.get(f"{host.url}/api/where")
    assert threads[0] is threading.current_thread()
    assert threads[1] is not threading.current_thread()


async def test_a_context_tells_name_folder_and_a_new_id_each_time(client: aiohttp.ClientSession) -> None:
    contexts: list[func.Context] = []

    def remember(req: func.HttpRequest, context: func.Context) -> None:
        contexts.append(context)

    async with serving(remember, route="ctx") as host:
        await client.get(f"{host.url}/api/ctx")
        await client.get(f"{host.url}/api/ctx")
    assert {context.function_name for context in contexts} == {"remember"}
    assert len({context.invocation_id for context in contexts}) == 2
    assert contexts[0].function_directory


async def test_a_request_that_runs_when_the_host_stops_is_answered(client: aiohttp.ClientSession) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(req: func.HttpRequest) -> str:
        entered.set()
        await leave.wait()
        return "done"

    async def ask(url: str) -> str:
        async with client.get(url) as answer:
            return await answer.text()

    asking: Awaitable[str]
    async with serving(slow, route="slow") as host:
        asking = asyncio.create_task(ask(f"{host.url}/api/slow"))
        await entered.wait()
        asyncio.get_running_loop().call_later(0.05, leave.set)
    assert await asking == "done"


async def test_a_request_that_never_ends_does_not_hold_the_host(client: aiohttp.ClientSession) -> None:
    entered = asyncio.Event()

    async def endless(req: func.HttpRequest) -> None:
        entered.set()
        await asyncio.Event().wait()

    async with serving(endless, route="endless", grace_seconds=0.05) as host:
        asking = asyncio.create_task(client.get(f"{host.url}/api/endless"))
        await entered.wait()
    with pytest.raises(aiohttp.ClientError):
        await asking


async def test_threads_that_do_not_end_are_counted(client: aiohttp.ClientSession) -> None:
    entered, leave = threading.Event(), threading.Event()

    def stuck(req: func.HttpRequest) -> None:
        entered.set()
        leave.wait()

    async with serving(stuck, route="stuck", grace_seconds=0.05) as host:
        asking = asyncio.create_task(client.get(f"{host.url}/api/stuck"))
        await asyncio.to_thread(entered.wait)
    with pytest.raises(aiohttp.ClientError):
        await asking
    assert host.threads_left == 1
    leave.set()


async def test_a_busy_port_is_one_sentence() -> None:
    async with serving(echo) as host:
        port = urlsplit(host.url).port
        app = func.FunctionApp()
        app.route(route="x")(echo)
        with pytest.raises(HostError, match=f"^port {port} of 127.0.0.1 cannot be listened on: .+"):
            async with Host.start(app=app, port=port or 0):
                pass
