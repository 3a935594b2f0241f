import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from azure.core.credentials import AccessToken, AzureNamedKeyCredential
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)
from azure.core.utils import parse_connection_string
from azure.data.tables import AccountSasPermissions, ResourceTypes, generate_account_sas
from azure.data.tables.aio import TableClient as SdkTableClient

from local.faults import DROP, NEVER, Action, Answer, Proxy, endpoint, through
from shared.connections import Bounds, open_session
from shared.table_service.access import Bearer
from shared.table_service.client import TableClient
from shared.table_service.lists import Lists
from shared.table_service.service import TableService
from tests.local.faults.hooks import Recorder
from tests.servers import serve
from tests.storage import a_name
from tests.table_service.test_access import Credential
from tests.table_service.test_silence import SIGNATURE, told

AT_ONCE = Bounds(backoff=0)
ONCE = Bounds(repetitions=0)
ROW = {"PartitionKey": "p", "RowKey": "r", "Status": "queued"}


@asynccontextmanager
async def behind(azurite: str, hook: Recorder, bounds: Bounds = AT_ONCE) -> AsyncIterator[TableClient]:
    """A table that is there, seen through a proxy, with nothing seen yet."""
    async with (
        Proxy.start(target=endpoint(azurite, "table"), service="table", hook=hook) as proxy,
        TableService.open(through(azurite, table=proxy.port), bounds=bounds) as service,
    ):
        table = service.table(a_name())
        await table.create()
        hook.seen.clear()
        hook.answered.clear()
        yield table


@pytest.fixture
def hook() -> Recorder:
    return Recorder()


@pytest.fixture
async def table(azurite: str, hook: Recorder) -> AsyncIterator[TableClient]:
    async with behind(azurite, hook) as made:
        yield made


def statuses(hook: Recorder, verb: str) -> list[int]:
    return [status for operation, status in hook.answered if operation.split()[1] == verb]


async def test_every_operation_is_what_the_sdks_is(table: TableClient, hook: Recorder) -> None:
    version = await table.insert(ROW)
    with pytest.raises(ResourceExistsError):
        await table.insert(ROW)
    version = await table.merge(ROW | {"More": 1}, version=version)
    version = await table.put(ROW, version=version)
    with pytest.raises(ResourceModifiedError):
        await table.merge(ROW, version='W/"older"')
    await table.put(ROW | {"Last": True})
    assert (await table.get("p", "r"))["Last"] is True
    assert [dict(row) async for row in table.query("RowKey eq 'r'", {}, page=1, select="Last")] == [{"Last": True}]
    await table.delete("p", "r")
    with pytest.raises(ResourceNotFoundError):
        await table.delete("p", "r")
    with pytest.raises(ResourceNotFoundError):
        await table.get("p", "r")
    with pytest.raises(ResourceExistsError):
        await table.create()
    verbs = "insert insert merge replace merge upsert get query delete delete get create"
    assert [operation.split()[1] for operation in hook.operations] == verbs.split()


@pytest.mark.parametrize("status", [500, 503, 504])
async def test_an_insert_that_is_said_to_have_failed_is_made_again(
    table: TableClient, hook: Recorder, status: int
) -> None:
    hook.do_before(f"table insert {table.name}", Answer(status), Answer(status))
    assert await table.insert(ROW)
    assert len(hook.seen) == 3


async def test_an_insert_that_is_said_to_have_failed_may_meet_its_own_row(table: TableClient, hook: Recorder) -> None:
    hook.do_after(f"table insert {table.name}", Answer(500))
    with pytest.raises(ResourceExistsError):
        await table.insert(ROW)
    assert statuses(hook, "insert") == [204, 409]
    assert (await table.get("p", "r"))["Status"] == "queued"


@pytest.mark.parametrize("status", [408, 429, 502])
async def test_an_insert_of_which_nothing_is_known_is_not_made_again(
    table: TableClient, hook: Recorder, status: int
) -> None:
    """Where the connection ended without an answer: see test_idle.py."""
    hook.do_after(f"table insert {table.name}", Answer(status))
    with pytest.raises(HttpResponseError):
        await table.insert(ROW)
    assert statuses(hook, "insert") == [204]
    assert await table.get("p", "r")


@pytest.mark.parametrize("action", [DROP, *(Answer(status) for status in (408, 429, 500, 502, 503, 504))])
@pytest.mark.parametrize("verb", ["get", "upsert", "delete", "query"])
async def test_what_does_no_harm_twice_is_made_again(
    table: TableClient, hook: Recorder, verb: str, action: Action
) -> None:
    await table.put(ROW)
    hook.do_before(f"table {verb} {table.name}", action, action)
    match verb:
        case "get":
            assert await table.get("p", "r")
        case "upsert":
            assert await table.put(ROW)
        case "delete":
            await table.delete("p", "r")
        case "query":
            assert [row async for row in table.query("PartitionKey eq @key", {"key": "p"}, page=5)]
    assert statuses(hook, verb)[-1] in {200, 204}


async def test_after_three_times_it_is_given_up(table: TableClient, hook: Recorder) -> None:
    hook.do_before(f"table get {table.name}", *[Answer(503)] * 3)
    with pytest.raises(HttpResponseError) as caught:
        await table.get("p", "r")
    assert (caught.value.status_code, len(hook.seen)) == (503, 3)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 501])
async def test_what_is_wrong_for_good_is_asked_once(table: TableClient, hook: Recorder, status: int) -> None:
    hook.do_before(f"table get {table.name}", Answer(status))
    with pytest.raises(HttpResponseError) as caught:
        await table.get("p", "r")
    assert (caught.value.status_code, len(hook.seen)) == (status, 1)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "TableNotFound", ResourceNotFoundError),
        (404, "EntityNotFound", ResourceNotFoundError),
        (404, "WebsiteNotFound", HttpResponseError),
        (409, "EntityAlreadyExists", ResourceExistsError),
        (409, "TableAlreadyExists", ResourceExistsError),
        (409, "TableBeingDeleted", HttpResponseError),
        (412, "UpdateConditionNotSatisfied", ResourceModifiedError),
        (401, "NoAuthenticationInformation", ClientAuthenticationError),
        (403, "AuthenticationFailed", ClientAuthenticationError),
        (403, "AuthorizationPermissionMismatch", HttpResponseError),
    ],
)
async def test_an_error_has_the_class_that_its_code_asks_for(
    table: TableClient, hook: Recorder, status: int, code: str, kind: type[HttpResponseError]
) -> None:
    hook.do_before(f"table get {table.name}", Answer(status, code=code))
    with pytest.raises(HttpResponseError) as caught:
        await table.get("p", "r")
    assert type(caught.value) is kind
    assert (caught.value.status_code, code in str(caught.value)) == (status, True)


async def test_what_is_never_answered_is_given_up(azurite: str, hook: Recorder) -> None:
    async with behind(azurite, hook, Bounds(read_seconds=0.2, backoff=0)) as table:
        hook.do_after(f"table insert {table.name}", NEVER)
        with pytest.raises(ServiceResponseTimeoutError):
            await table.insert(ROW)
        hook.do_before(f"table get {table.name}", NEVER, NEVER)
        assert await table.get("p", "r")


async def test_where_nobody_listens_the_request_did_not_leave() -> None:
    nowhere = "AccountName=a;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:1/a"
    async with TableService.open(nowhere, bounds=AT_ONCE) as service:
        for call in (service.table("t").get("p", "r"), service.table("t").insert(ROW)):
            with pytest.raises(ServiceRequestError):
                await call


@asynccontextmanager
async def stub(*answers: Callable[[], web.Response]) -> AsyncIterator[tuple[TableService, list[web.BaseRequest]]]:
    """A service that gives these answers one after the other, and what it was asked."""
    asked: list[web.BaseRequest] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        asked.append(request)
        return answers[len(asked) - 1]()

    async with serve(answer) as url:
        text = f"TableEndpoint={url};SharedAccessSignature={SIGNATURE}"
        async with TableService.open(text, bounds=AT_ONCE) as service:
            yield service, asked


def found(**properties: object) -> web.Response:
    return web.json_response({"odata.etag": "e", **properties})


async def test_storage_is_waited_for_as_long_as_it_asks_but_no_longer_than_a_caller_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    def busy(seconds: str) -> Callable[[], web.Response]:
        return lambda: web.Response(status=429, headers={"Retry-After": seconds})

    monkeypatch.setattr("shared.table_service.service.asyncio.sleep", sleep)
    async with stub(busy("2"), busy("600"), lambda: web.Response(status=204, headers={"ETag": "e"})) as (service, _):
        assert await service.table("t").insert(ROW) == "e"
    async with stub(busy("soon"), busy(""), found) as (service, _):
        assert await service.table("t").get("p", "r") == {}
    # aiohttp gives way to others by a sleep of nothing
    assert [seconds for seconds in slept if seconds] == [2.0, 5.0]


@pytest.mark.parametrize("content", [b"<html>SECRET</html>", b"[]", b"", b'{"odata.etag": '])
async def test_an_answer_that_holds_no_row_is_an_error_that_does_not_show_it(content: bytes) -> None:
    async with stub(lambda: web.Response(body=content)) as (service, _):
        with pytest.raises(HttpResponseError, match="expected a row in JSON") as caught:
            await service.table("t").get("p", "r")
        assert "SECRET" not in str(caught.value)


async def test_a_write_that_brings_no_version_is_an_error() -> None:
    async with stub(lambda: web.Response(status=204)) as (service, _):
        with pytest.raises(HttpResponseError, match="expected an ETag"):
            await service.table("t").insert(ROW)


async def test_no_redirect_is_followed() -> None:
    async with stub(lambda: web.Response(status=307, headers={"Location": "http://127.0.0.1:1/"})) as (service, asked):
        with pytest.raises(HttpResponseError) as caught:
            await service.table("t").get("p", "r")
    assert (caught.value.status_code, len(asked)) == (307, 1)


async def test_no_error_shows_the_signature_the_body_or_the_key() -> None:
    async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 SECRET-no-status\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(broken, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    errors: list[BaseException] = []
    for url in (f"http://127.0.0.1:{port}", "http://127.0.0.1:1"):
        text = f"TableEndpoint={url};SharedAccessSignature={SIGNATURE}"
        async with TableService.open(text, bounds=AT_ONCE) as service:
            with pytest.raises(AzureError) as caught:
                await service.table("t").put(ROW | {"Body": "SECRET"})
            errors.append(caught.value)
    server.close()
    answers = [lambda: web.Response(status=400, text="SECRET", headers={"x-ms-request-id": "SECRET <script>"})]
    async with stub(*answers) as (service, _):
        with pytest.raises(HttpResponseError) as refused:
            await service.table("t").put(ROW)
        errors.append(refused.value)
    for error in errors:
        assert "SECRET" not in told(error)


async def test_a_shared_access_signature_lets_in(azurite: str) -> None:
    parts = parse_connection_string(azurite)
    signature = generate_account_sas(
        AzureNamedKeyCredential(parts["accountname"], parts["accountkey"]),
        resource_types=ResourceTypes(service=True, object=True, container=True),
        permission=AccountSasPermissions(
            read=True, write=True, add=True, update=True, delete=True, list=True, create=True
        ),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    for shared in (signature, "?" + signature):
        text = f"TableEndpoint={parts['tableendpoint']};SharedAccessSignature={shared}"
        async with TableService.open(text, bounds=ONCE) as service:
            table = service.table(a_name())
            await table.create()
            await table.insert(ROW | {"PartitionKey": "a&b=ü"})
            assert await table.get("a&b=ü", "r")
            assert [row async for row in table.query("PartitionKey eq @key", {"key": "a&b=ü"}, page=1)]
            await table.delete("a&b=ü", "r")


@pytest.mark.parametrize("shared", ["sv=2019-02-02&ss=t&srt=sco&sp=raud&se=2099-01-01T00:00:00Z&sig=AAAA", None])
async def test_a_wrong_signature_or_key_does_not(azurite: str, shared: str | None) -> None:
    parts = parse_connection_string(azurite)
    wrong = base64.b64encode(b"another key").decode()
    way = (
        f"AccountName={parts['accountname']};AccountKey={wrong}"
        if shared is None
        else f"SharedAccessSignature={shared}"
    )
    async with TableService.open(f"TableEndpoint={parts['tableendpoint']};{way}", bounds=ONCE) as service:
        with pytest.raises(HttpResponseError) as caught:
            await service.table(a_name()).get("p", "r")
    assert caught.value.status_code == 403


def no_lists(name: str) -> SdkTableClient:
    pytest.fail(f"expected no list of {name}")


async def test_a_token_is_shown_and_one_that_is_refused_is_asked_for_anew_once() -> None:
    shown: list[str] = []
    good = {"Bearer token-1", "Bearer token-3"}

    async def answer(request: web.BaseRequest) -> web.Response:
        shown.append(request.headers["Authorization"])
        return found() if shown[-1] in good else web.Response(status=401, headers={"WWW-Authenticate": "Bearer x=y"})

    credential = Credential()
    async with serve(answer) as url, open_session(ONCE) as session:
        # the service itself never lets a token leave unless it is over https
        access = Bearer(credential, clock=lambda: credential.now)
        table = TableService(url, access, Lists(no_lists), session=session, bounds=ONCE).table("t")
        assert await table.get("p", "r") == {}
        credential.now += 3600
        assert await table.get("p", "r") == {}
        good.clear()
        with pytest.raises(ClientAuthenticationError):
            await table.get("p", "r")
    assert shown == [f"Bearer token-{n}" for n in (1, 2, 3, 3, 4)]


async def test_a_credential_that_gives_no_token_is_an_error_of_azure_core() -> None:
    class Without(Credential):
        async def get_token(self, *_scopes: str, **_more: object) -> AccessToken:
            raise ClientAuthenticationError("no identity")

    async with open_session(ONCE) as session:
        service = TableService.with_identity("https://127.0.0.1:1", Without(), session=session)
        with pytest.raises(ClientAuthenticationError, match="no identity"):
            await service.table("t").get("p", "r")


async def test_no_token_is_shown_to_a_service_without_tls() -> None:
    async with open_session(ONCE) as session:
        with pytest.raises(ValueError, match="expected https://"):
            TableService.with_identity("http://tables.example", Credential(), session=session)
