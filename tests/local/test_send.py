import io
import json
import uuid
from pathlib import Path

import pytest
from azure.storage.queue import QueueClient, TextBase64DecodePolicy

from local import __main__ as console
from local.harness.ports import free_port


@pytest.fixture
def queue(azurite: str, monkeypatch: pytest.MonkeyPatch) -> QueueClient:
    """The queue that `send` finds by its settings, there and empty."""
    name = f"send-{uuid.uuid4().hex}"
    monkeypatch.setenv("AzureWebJobsStorage", azurite)
    monkeypatch.setenv("OUTBOUND_QUEUE", name)
    client = QueueClient.from_connection_string(azurite, name, message_decode_policy=TextBase64DecodePolicy())
    client.create_queue()
    return client


def sent(queue: QueueClient) -> dict[str, object]:
    with queue:
        message = queue.receive_message()
        assert message is not None
        content = json.loads(message.content)
    assert isinstance(content, dict)
    return content


def test_a_text_is_enqueued_in_base64_under_a_new_id_that_is_printed(
    queue: QueueClient, capsys: pytest.CaptureFixture[str]
) -> None:
    assert console.main(["send", "--to", "+14155550100", "--body", "Grüße"]) == 0
    printed = capsys.readouterr().out.strip()
    assert sent(queue) == {"id": printed, "channel": "sms", "to": "+14155550100", "body": "Grüße"}


def test_say_makes_a_call_and_every_option_is_part_of_the_request(queue: QueueClient) -> None:
    options = ["--to", "+14155550101", "--say", "Hello", "--from", "+15005550006", "--id", "mine-1"]
    assert console.main(["send", *options]) == 0
    request = {"id": "mine-1", "channel": "call", "to": "+14155550101", "say": "Hello", "from": "+15005550006"}
    assert sent(queue) == request


@pytest.mark.parametrize("from_file", [False, True])
def test_flow_makes_a_call_that_walks_it_with_the_values_of_data(
    queue: QueueClient, tmp_path: Path, *, from_file: bool
) -> None:
    data = {"service": "Payments", "problem": "Größe > 3"}
    file = tmp_path / "values.json"
    file.write_text(json.dumps(data), "utf-8")
    given = f"@{file}" if from_file else json.dumps(data)
    assert console.main(["send", "--to", "+14155550101", "--flow", "on-call", "--data", given, "--id", "mine-3"]) == 0
    request = {"id": "mine-3", "channel": "call", "to": "+14155550101", "flow": "on-call", "data": data}
    assert sent(queue) == request


def test_data_goes_before_that_of_a_json_file(queue: QueueClient, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    request = {"id": "mine-4", "channel": "sms", "to": "+14155550100", "template": "t", "data": {"a": 1, "b": 2}}
    file.write_text(json.dumps(request), "utf-8")
    assert console.main(["send", "--json", str(file), "--data", '{"a": 3}']) == 0
    assert sent(queue) == {**request, "data": {"a": 3}}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("{", "--data is no JSON: line 1, column 2: "),
        ("[1]", "--data holds no values: expected a JSON object."),
        ("@nowhere.json", "nowhere.json cannot be read: No such file or directory."),
    ],
)
def test_unusable_data_is_told_in_one_sentence(
    capsys: pytest.CaptureFixture[str], *, given: str, sentence: str
) -> None:
    assert console.main(["send", "--to", "+14155550101", "--flow", "on-call", "--data", given]) == 1
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_two_requests_never_share_a_new_id(queue: QueueClient, capsys: pytest.CaptureFixture[str]) -> None:
    with queue:
        for _ in range(2):
            assert console.main(["send", "--to", "+14155550100", "--body", "Hello"]) == 0
    assert len(set(capsys.readouterr().out.split())) == 2


def test_a_json_file_is_sent_as_it_is_and_options_go_before_it(queue: QueueClient, tmp_path: Path) -> None:
    request = {"id": "from-file", "channel": "sms", "to": "+14155550100", "body": "Hi", "metadata": {"order": "7"}}
    file = tmp_path / "request.json"
    file.write_text(json.dumps(request), "utf-8")
    assert console.main(["send", "--json", str(file), "--id", "mine-2"]) == 0
    assert sent(queue) == {**request, "id": "mine-2"}


def test_standard_input_is_read_for_a_dash(
    queue: QueueClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b'{"channel": "call", "to": "+14155550101", "say": "Hello"}'))
    monkeypatch.setattr("sys.stdin", stdin)
    assert console.main(["send", "--json", "-"]) == 0
    assert sent(queue)["id"] == capsys.readouterr().out.strip()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"to": +1}', "no JSON: line 1, column 8: "),
        ("[]", "holds no request: expected a JSON object"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_an_unusable_file_is_told_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, sentence: str
) -> None:
    file = tmp_path / "request.json"
    if content is not None:
        file.write_text(content, "utf-8")
    assert console.main(["send", "--json", str(file)]) == 1
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--to", "+1"],
        ["--body", "b"],
        ["--to", "+1", "--body", "b", "--say", "s"],
        ["--to", "+1", "--say", "s", "--flow", "on-call"],
    ],
)
def test_what_is_no_request_is_told_with_what_was_expected(
    capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    assert console.main(["send", *options]) == 1
    assert "Expected --to and one of --body" in capsys.readouterr().err


def test_a_storage_that_does_not_run_is_told_in_one_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    port = free_port()
    assert console.main(["send", "--to", "+1", "--body", "b", "--storage-port", str(port - 1)]) == 1
    expected = f"The storage at http://127.0.0.1:{port} does not answer: is `dev.py run` running?\n"
    assert capsys.readouterr().err == expected


def test_a_queue_that_is_not_there_is_told_in_one_sentence(
    azurite: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AzureWebJobsStorage", azurite)
    monkeypatch.setenv("OUTBOUND_QUEUE", "nobody-made-this")
    assert console.main(["send", "--to", "+1", "--body", "b"]) == 1
    assert "There is no queue 'nobody-made-this' at http://127.0.0.1:" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["nonsense", "DefaultEndpointsProtocol=http;AccountName=a"])
def test_a_broken_connection_string_is_told_without_showing_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    monkeypatch.setenv("AzureWebJobsStorage", value)
    assert console.main(["send", "--to", "+1", "--body", "b"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("AzureWebJobsStorage is no connection string")
    assert value not in error
