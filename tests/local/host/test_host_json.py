import math
from typing import Any

import pytest

from local.host.errors import HostError
from local.host.host_json import HostJson


def parse(document: dict[str, Any], **settings: str) -> HostJson:
    return HostJson.parse({"version": "2.0", **document}, settings=settings)


def test_an_empty_one_has_azures_defaults() -> None:
    parsed = HostJson.parse({"version": "2.0"})
    queues = parsed.extensions.queues
    assert parsed.extensions.http.route_prefix == "api"
    assert (queues.batch_size, queues.max_dequeue_count, queues.base64) == (16, 5, True)
    assert (queues.max_polling_interval, queues.visibility_timeout) == (60.0, 0.0)


def test_the_default_threshold_is_half_a_batch_per_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    parsed = parse({"extensions": {"queues": {"batchSize": 10}}})
    assert parsed.extensions.queues.threshold == 20
    parsed = parse({"extensions": {"queues": {"newBatchThreshold": 0}}})
    assert parsed.extensions.queues.threshold == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:05:00", 300), ("00:00:00.25", 0.25), ("1.02:03:04", 93784), ("00:10", 600), ("-1", math.inf)],
)
def test_time_spans_are_read_as_dotnet_writes_them(text: str, seconds: float) -> None:
    assert parse({"functionTimeout": text}).function_timeout == seconds


@pytest.mark.parametrize("value", ["5 minutes", "", 300, None, "-00:05:00"])
def test_what_is_no_time_span_is_refused(value: object) -> None:
    with pytest.raises(HostError, match=r"^host.json: Expected a time span as hh:mm:ss, got .+ `\$.functionTimeout`$"):
        parse({"functionTimeout": value})


@pytest.mark.parametrize("span", ["00:00:00", "-1"])
def test_a_polling_interval_has_bounds(span: str) -> None:
    with pytest.raises(HostError, match="maxPollingInterval must be at least"):
        parse({"extensions": {"queues": {"maxPollingInterval": span}}})


def test_what_this_host_does_not_obey_is_ignored() -> None:
    parse({"logging": {}, "extensionBundle": {}, "extensions": {"blobs": {}, "http": {"hsts": {}}}})


def test_an_empty_host_json_has_the_version() -> None:
    assert HostJson.parse({}) == HostJson.parse({"version": "2.0"})


@pytest.mark.parametrize(
    ("document", "got"),
    [
        ({"functionTimeout": "00:05:00"}, "none"),
        ({"Version": "2.0"}, "none"),
        ({"version": "3.0"}, "'3.0'"),
        ({"version": "2"}, "'2'"),
        ({"version": 2.0}, "2.0"),
        ({"version": None}, "None"),
    ],
)
def test_a_host_json_without_its_version_is_refused(document: dict[str, object], got: str) -> None:
    with pytest.raises(HostError) as caught:
        HostJson.parse(document)
    assert str(caught.value) == f'host.json: expected "version": "2.0", got {got}'


def test_names_and_numbers_are_read_as_dotnet_reads_them() -> None:
    parsed = parse({"FunctionTimeout": "00:01:00", "Extensions": {"QUEUES": {"batchsize": "8", "MaxDequeueCount": 3}}})
    assert parsed.function_timeout == 60.0
    assert (parsed.extensions.queues.batch_size, parsed.extensions.queues.max_dequeue_count) == (8, 3)


@pytest.mark.parametrize(
    "name",
    [
        "AzureFunctionsJobHost__extensions__queues__batchSize",
        "azurefunctionsjobhost__Extensions__Queues__BATCHSIZE",
        "AzureFunctionsJobHost:extensions:queues:batchSize",
    ],
)
@pytest.mark.parametrize("document", [{}, {"extensions": {"queues": {"batchSize": 16, "maxDequeueCount": 3}}}])
def test_a_setting_overrides_host_json(name: str, document: dict[str, Any]) -> None:
    before = parse(document).extensions.queues
    after = parse(document, **{name: "8"}).extensions.queues
    assert (after.batch_size, after.max_dequeue_count) == (8, before.max_dequeue_count)


def test_every_kind_of_value_can_be_overridden() -> None:
    prefix = "AzureFunctionsJobHost__"
    parsed = parse(
        {"extensions": {"http": None}},
        **{
            f"{prefix}functionTimeout": "-1",
            f"{prefix}extensions__http__routePrefix": "v1",
            f"{prefix}extensions__queues__messageEncoding": "none",
            f"{prefix}logging__logLevel__default": "Debug",
        },
    )
    assert math.isinf(parsed.function_timeout)
    assert (parsed.extensions.http.route_prefix, parsed.extensions.queues.base64) == ("v1", False)


def test_an_override_that_is_set_to_nothing_changes_nothing() -> None:
    assert parse({}, AzureFunctionsJobHost__functionTimeout="") == parse({})


def test_an_override_that_makes_no_sense_is_refused_with_its_place() -> None:
    with pytest.raises(HostError, match=r"AzureFunctionsJobHost__ settings: .*\$\.extensions\.queues\.batchSize"):
        parse({}, AzureFunctionsJobHost__extensions__queues__batchSize="33")
