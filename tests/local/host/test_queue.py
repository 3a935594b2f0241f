import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import azure.functions as func
import pytest
from aiohttp import web
from azure.core.exceptions import ResourceNotFoundError

from local.harness.ports import free_port
from local.host import Host, HostError
from tests.local.host.two_queues import TwoQueues

Messages = asyncio.Queue[func.QueueMessage]


@asynccontextmanager
async def listening(
    call: Callable[..., object],
    queues: TwoQueues,
    *,
    settings: dict[str, str] | None = None,
    queue_name: str = "%QUEUE%",
    binary: bool = False,
    function_timeout: str = "00:30:00",
    lease_seconds: int = 600,
    grace_seconds: float = 10,
    **options: object,
) -> AsyncIterator[Host]:
    app = func.FunctionApp()
    app.queue_trigger(
        arg_name="message",
        queue_name=queue_name,
        connection="AzureWebJobsStorage",
        data_type=func.DataType.BINARY if binary else None,
    )(call)
    host_json = {
        "version": "2.0",
        "functionTimeout": function_timeout,
        "extensions": {"queues": {"maxPollingInterval": "00:00:00.1", **options}},
    }
    async with Host.start(
        app=app,
        host_json=host_json,
        settings=queues.settings if settings is None else settings,
        queue_lease_seconds=lease_seconds,
        grace_seconds=grace_seconds,
    ) as host:
        yield host


def collector(messages: Messages) -> Callable[..., Awaitable[None]]:
    async def collect(message: func.QueueMessage) -> None:
        messages.put_nowait(message)

    return collect


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110 - nobody tells when something in the storage changes
            await asyncio.sleep(0.02)


async def until_poisoned(queues: TwoQueues, *, count: int = 1) -> list[str]:
    async def arrived() -> bool:
        return len(await queues.poisoned()) >= count and await queues.count() == 0

    await until(arrived)
    return [message.content for message in await queues.poisoned()]


async def until_empty(queues: TwoQueues) -> None:
    async def empty() -> bool:
        return await queues.count() == 0

    await until(empty)


@asynccontextmanager
async def storage(answer: Callable[[web.BaseRequest], Awaitable[web.Response]], *, port: int = 0) -> AsyncIterator[int]:
    """A storage that answers as it is told; its port."""
    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


def refusal(status: int, code: str) -> web.Response:
    return web.Response(
        status=status, text="<Error/>", content_type="application/xml", headers={"x-ms-error-code": code}
    )


def settings_at(port: int, queues: TwoQueues) -> dict[str, str]:
    storage = f"AccountName=a;AccountKey=a2V5;QueueEndpoint=http://127.0.0.1:{port}/a;"
    return {"QUEUE": queues.name, "AzureWebJobsStorage": storage}


def host_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "local.host.queue"]


async def test_a_message_is_decoded_handed_over_and_deleted(queues: TwoQueues) -> None:
    messages = Messages()
    await queues.put("grüß dich")
    before = datetime.now(UTC)
    async with listening(collector(messages), queues):
        message = await messages.get()
        await until_empty(queues)
    assert message.get_body() == "grüß dich".encode()
    assert message.dequeue_count == 1
    assert message.id
    assert message.pop_receipt
    assert message.insertion_time is not None
    assert message.expiration_time is not None
    assert message.time_next_visible is not None
    assert message.insertion_time < message.expiration_time
    assert message.time_next_visible > before
    assert await queues.poisoned() == []


async def test_white_space_in_base64_is_skipped(queues: TwoQueues) -> None:
    messages = Messages()
    await queues.main.send_message("aGVs\r\n bG8=\n")
    async with listening(collector(messages), queues):
        assert (await messages.get()).get_body() == b"hello"


async def test_sync_functions_are_called_too(queues: TwoQueues) -> None:
    seen: list[bytes] = []

    def collect(message: func.QueueMessage) -> None:
        seen.append(message.get_body())

    await queues.put("sync")
    async with listening(collect, queues):
        await until_empty(queues)
    assert seen == [b"sync"]


async def test_without_an_encoding_text_stays_as_it_is(queues: TwoQueues) -> None:
    messages = Messages()
    await queues.main.send_message("aGVsbG8=")
    async with listening(collector(messages), queues, messageEncoding="none"):
        assert (await messages.get()).get_body() == b"aGVsbG8="


async def test_a_binary_trigger_gets_bytes_that_are_no_text(queues: TwoQueues) -> None:
    messages = Messages()
    await queues.main.send_message(base64.b64encode(b"\xff\x00").decode())
    async with listening(collector(messages), queues, binary=True):
        assert (await messages.get()).get_body() == b"\xff\x00"
        await until_empty(queues)


async def test_a_text_trigger_fails_on_bytes_that_are_no_text_until_they_are_poison(
    queues: TwoQueues, caplog: pytest.LogCaptureFixture
) -> None:
    messages = Messages()
    text = base64.b64encode(b"\xff\x00").decode()
    await queues.main.send_message(text)
    async with listening(collector(messages), queues, maxDequeueCount=2):
        assert await until_poisoned(queues) == [text]
    assert messages.empty()
    assert caplog.text.count("cannot be bound: expected UTF-8") == 2


async def test_what_is_no_base64_goes_to_the_poison_queue_untouched_and_uncalled(queues: TwoQueues) -> None:
    messages = Messages()
    for text in ("{}", "a", "grüß"):
        await queues.main.send_message(text)
    async with listening(collector(messages), queues):
        assert sorted(await until_poisoned(queues, count=3)) == ["a", "grüß", "{}"]
    assert messages.empty()


async def test_a_failing_message_is_tried_again_and_then_moved_as_it_was(queues: TwoQueues) -> None:
    counts: list[int | None] = []

    async def fail(message: func.QueueMessage) -> None:
        counts.append(message.dequeue_count)
        raise RuntimeError

    await queues.put("unwanted")
    async with listening(fail, queues, maxDequeueCount=3):
        assert await until_poisoned(queues) == [base64.b64encode(b"unwanted").decode()]
    assert counts == [1, 2, 3]


async def test_a_failed_message_stays_hidden_for_the_visibility_timeout(queues: TwoQueues) -> None:
    messages = Messages()

    async def fail(message: func.QueueMessage) -> None:
        messages.put_nowait(message)
        raise RuntimeError

    await queues.put("later")
    async with listening(fail, queues, visibilityTimeout="00:00:01", lease_seconds=600):
        first, second = await messages.get(), await messages.get()
    assert (first.dequeue_count, second.dequeue_count) == (1, 2)
    await queues.main.clear_messages()
    await queues.put("much later")
    async with listening(fail, queues, visibilityTimeout="00:10:00", lease_seconds=1):
        assert (await messages.get()).dequeue_count == 1
    assert (await queues.count(), await queues.visible()) == (1, 0)


async def test_a_result_where_none_can_go_is_a_failure(queues: TwoQueues, caplog: pytest.LogCaptureFixture) -> None:
    async def answer(message: func.QueueMessage) -> str:
        return "somebody?"

    await queues.put("x")
    async with listening(answer, queues, maxDequeueCount=1):
        await until_poisoned(queues)
    assert "expected None from a function without a $return binding, got str" in caplog.text


async def test_a_function_that_takes_too_long_has_failed(queues: TwoQueues) -> None:
    async def endless(message: func.QueueMessage) -> None:
        await asyncio.Event().wait()

    await queues.put("slow")
    async with listening(endless, queues, maxDequeueCount=1, function_timeout="00:00:00.05"):
        await until_poisoned(queues)


async def test_a_message_that_was_taken_too_often_is_moved_without_a_call(queues: TwoQueues) -> None:
    messages = Messages()
    await queues.put("deadly")
    async for taken in queues.main.receive_messages(visibility_timeout=1):
        await queues.main.update_message(taken, visibility_timeout=0)
        break
    async with listening(collector(messages), queues, maxDequeueCount=1):
        await until_poisoned(queues)
    assert messages.empty()


async def test_a_poison_queues_own_poison_stays_where_it_is(queues: TwoQueues) -> None:
    called = asyncio.Event()

    async def fail(message: func.QueueMessage) -> None:
        called.set()
        raise RuntimeError

    await queues.poison.create_queue()
    await queues.poison.send_message("eA==")
    async with listening(fail, queues, queue_name="%QUEUE%-poison", maxDequeueCount=1):
        await called.wait()
    properties = await queues.poison.get_queue_properties()
    assert properties.approximate_message_count == 1
    assert await queues.poisoned() == []


async def test_the_lease_is_renewed_while_the_function_runs(queues: TwoQueues) -> None:
    calls: list[int | None] = []

    async def outlive_the_lease(message: func.QueueMessage) -> None:
        calls.append(message.dequeue_count)
        await asyncio.sleep(4.5)

    await queues.put("long")
    async with listening(outlive_the_lease, queues, lease_seconds=3):
        await until_empty(queues)
    assert calls == [1]


async def test_a_message_that_somebody_else_took_over_is_left_to_him(
    queues: TwoQueues, caplog: pytest.LogCaptureFixture
) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def block(message: func.QueueMessage) -> None:
        await queues.main.update_message(message.id or "", message.pop_receipt, visibility_timeout=600)
        entered.set()
        await leave.wait()

    await queues.put("contested")
    async with listening(block, queues, lease_seconds=1):
        await entered.wait()
        await until(lambda: _logged(caplog, "was taken over"))
        leave.set()
    assert (await queues.count(), await queues.visible()) == (1, 0)
    assert "was not dealt with" not in caplog.text


async def _logged(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    return text in caplog.text


async def test_at_most_batch_and_threshold_run_at_once(queues: TwoQueues) -> None:
    running = 0
    started: asyncio.Queue[int] = asyncio.Queue()
    gate = asyncio.Semaphore(0)

    async def count(message: func.QueueMessage) -> None:
        nonlocal running
        running += 1
        started.put_nowait(running)
        await gate.acquire()
        running -= 1

    for number in range(8):
        await queues.put(str(number))
    async with listening(count, queues, batchSize=2, newBatchThreshold=1):
        # Two run, more than the threshold: nothing is fetched, however often one looks.
        assert [await started.get() for _ in range(2)] == [1, 2]
        assert [await queues.visible() for _ in range(10)] == [6] * 10
        # One is over, the threshold is met: a whole batch is fetched.
        gate.release()
        assert [await started.get() for _ in range(2)] == [2, 3]
        assert [await queues.visible() for _ in range(10)] == [4] * 10
        for _ in range(7):
            gate.release()
        assert max([await started.get() for _ in range(4)]) <= 3
        await until_empty(queues)


async def _at_least(number: int, least: int) -> bool:
    return number >= least


async def test_a_host_that_is_ready_has_made_its_queue(queues: TwoQueues) -> None:
    messages = Messages()
    await queues.main.delete_queue()
    async with listening(collector(messages), queues):
        await queues.put("first")
        assert (await messages.get()).get_body() == b"first"


async def test_a_queue_that_is_deleted_while_the_host_runs_stays_deleted_until_somebody_makes_it(
    queues: TwoQueues, caplog: pytest.LogCaptureFixture
) -> None:
    messages = Messages()
    async with listening(collector(messages), queues):
        await queues.put("first")
        assert (await messages.get()).get_body() == b"first"
        await until_empty(queues)
        await queues.main.delete_queue()
        await until(lambda: _logged(caplog, "does not exist; waiting for it"))
        await queues.main.create_queue()
        await queues.put("second")
        assert (await messages.get()).get_body() == b"second"


async def test_a_storage_that_answers_after_the_start_gets_the_queue_then(
    queues: TwoQueues, caplog: pytest.LogCaptureFixture
) -> None:
    made = asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.Response:
        if request.method == "PUT":
            made.set()
            return web.Response(status=201)
        if not made.is_set():
            return refusal(404, "QueueNotFound")
        return web.Response(text="<QueueMessagesList/>", content_type="application/xml")

    port = free_port()
    async with listening(collector(Messages()), queues, settings=settings_at(port, queues)):
        await until(lambda: _logged(caplog, "cannot be read"))
        async with storage(answer, port=port):
            await made.wait()
            await until(lambda: _logged(caplog, "is there again"))


async def test_a_queue_that_may_not_be_made_is_told_once(queues: TwoQueues, caplog: pytest.LogCaptureFixture) -> None:
    creations = 0

    async def refuse(request: web.BaseRequest) -> web.Response:
        nonlocal creations
        creations += request.method == "PUT"
        return refusal(403, "AuthorizationFailure") if request.method == "PUT" else refusal(404, "QueueNotFound")

    async with (
        storage(refuse) as port,
        listening(collector(Messages()), queues, settings=settings_at(port, queues)),
    ):
        await until(lambda: _at_least(creations, 4))
    assert host_lines(caplog) == [
        f"queue {queues.name} does not exist and cannot be created (HttpResponseError); waiting for it"
    ]


async def test_a_disabled_function_gets_nothing_and_makes_no_queue(queues: TwoQueues) -> None:
    messages = Messages()
    await queues.main.delete_queue()
    disabled = {**queues.settings, "AzureWebJobs.collect.Disabled": "true"}
    async with listening(collector(messages), queues, settings=disabled) as host:
        assert [function.disabled for function in host.functions] == [True]
        with pytest.raises(ResourceNotFoundError):
            await queues.main.get_queue_properties()


async def test_what_runs_when_a_function_times_out_fails_with_it(
    queues: TwoQueues, caplog: pytest.LogCaptureFixture
) -> None:
    async def endless(message: func.QueueMessage) -> None:
        await asyncio.Event().wait()

    for text in ("first", "second"):
        await queues.put(text)
    async with listening(endless, queues, maxDequeueCount=1, function_timeout="00:00:00.5") as host:
        await host.watch()
        assert sorted(await until_poisoned(queues, count=2)) == [
            base64.b64encode(text).decode() for text in (b"first", b"second")
        ]
    assert caplog.text.count("did not end within 0.5 s (functionTimeout)") >= 1


async def test_an_outage_of_the_storage_is_one_log_line(queues: TwoQueues, caplog: pytest.LogCaptureFixture) -> None:
    polls = 0

    async def refuse(request: web.BaseRequest) -> web.Response:
        nonlocal polls
        polls += 1
        return web.Response(status=503, text="<Error/>", content_type="application/xml")

    messages = Messages()
    async with storage(refuse) as port, listening(collector(messages), queues, settings=settings_at(port, queues)):
        await until(lambda: _at_least(polls, 5))
    assert [line.partition(" (")[0] for line in host_lines(caplog)] == [f"queue {queues.name} cannot be read"]


async def test_a_function_that_runs_when_the_host_stops_may_end(queues: TwoQueues) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(message: func.QueueMessage) -> None:
        entered.set()
        await leave.wait()

    await queues.put("last")
    async with listening(slow, queues):
        await entered.wait()
        asyncio.get_running_loop().call_later(0.05, leave.set)
    assert await queues.count() == 0


async def test_a_function_that_outlives_the_grace_time_keeps_its_message(queues: TwoQueues) -> None:
    entered = asyncio.Event()
    ended: list[str] = []

    async def endless(message: func.QueueMessage) -> None:
        entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    await queues.put("kept")
    async with listening(endless, queues, grace_seconds=0.05):
        await entered.wait()
    assert ended == ["cancelled"]
    assert await queues.count() == 1
    assert await queues.poisoned() == []


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"AzureWebJobsStorage": "UseDevelopmentStorage=true"},
            "the queue of function collect needs the setting QUEUE",
        ),
        ({"QUEUE": "q"}, "the setting AzureWebJobsStorage is missing"),
        ({"QUEUE": "q", "AzureWebJobsStorage": "AccountKey"}, "is no connection string of a storage account"),
    ],
)
async def test_a_setting_that_is_missing_or_malformed_is_named(
    queues: TwoQueues, settings: dict[str, str], sentence: str
) -> None:
    with pytest.raises(HostError, match=sentence):
        async with listening(collector(Messages()), queues, settings=settings):
            pass


@pytest.mark.parametrize(
    "options", [{"batchSize": 33}, {"batchSize": "many"}, {"maxDequeueCount": 0}, {"visibilityTimeout": "30 seconds"}]
)
async def test_a_host_json_that_azure_would_refuse_is_refused(queues: TwoQueues, options: dict[str, Any]) -> None:
    with pytest.raises(HostError, match=rf"^host.json: .*\$\.extensions\.queues\.{next(iter(options))}"):
        async with listening(collector(Messages()), queues, **options):
            pass
