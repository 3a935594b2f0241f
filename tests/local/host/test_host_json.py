import math

import pytest

from local.host.errors import HostError
from local.host.host_json import HostJson


def test_an_empty_one_has_azures_defaults() -> None:
    parsed = HostJson.parse({"version": "2.0"})
    queues = parsed.extensions.queues
    assert parsed.extensions.http.route_prefix == "api"
    assert (queues.batch_size, queues.max_dequeue_count, queues.base64) == (16, 5, True)
    assert (queues.max_polling_interval, queues.visibility_timeout) == (60.0, 0.0)


def test_the_default_threshold_is_half_a_batch_per_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    parsed = HostJson.parse({"extensions": {"queues": {"batchSize": 10}}})
    assert parsed.extensions.queues.threshold == 20
    parsed = HostJson.parse({"extensions": {"queues": {"newBatchThreshold": 0}}})
    assert parsed.extensions.queues.threshold == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:05:00", 300), ("00:00:00.25", 0.25), ("1.02:03:04", 93784), ("00:10", 600), ("-1", math.inf)],
)
def test_time_spans_are_read_as_dotnet_writes_them(text: str, seconds: float) -> None:
    assert HostJson.parse({"functionTimeout": text}).function_timeout == seconds


@pytest.mark.parametrize("value", ["5 minutes", "", 300, None, "-00:05:00"])
def test_what_is_no_time_span_is_refused(value: object) -> None:
    with pytest.raises(HostError, match=r"^host.json: Expected a time span as hh:mm:ss, got .+ `\$.functionTimeout`$"):
        HostJson.parse({"functionTimeout": value})


@pytest.mark.parametrize("span", ["00:00:00", "-1"])
def test_a_polling_interval_has_bounds(span: str) -> None:
    with pytest.raises(HostError, match="maxPollingInterval must be at least"):
        HostJson.parse({"extensions": {"queues": {"maxPollingInterval": span}}})


def test_what_this_host_does_not_obey_is_ignored() -> None:
    HostJson.parse({"logging": {}, "extensionBundle": {}, "extensions": {"blobs": {}, "http": {"hsts": {}}}})
