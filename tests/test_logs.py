import ast
import logging
import re

import pytest
from azure.core.exceptions import HttpResponseError

from shared.errors import Changed
from shared.logs import about, quieten, traced
from tests.test_function_app import MODULES

_logger = logging.getLogger("switchboard.test")


def test_a_line_says_which_delivery_it_is_about_and_so_does_its_record(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        about(_logger, "order-1").info("it is %s already", "sent")
    (record,) = caplog.records
    assert record.getMessage() == "it is sent already [delivery order-1]"
    assert record.__dict__["delivery"] == "order-1"


@pytest.mark.parametrize("module", MODULES)
def test_no_line_leaves_anything_to_the_fields_of_its_record(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert not [call.lineno for call in calls if "extra" in {keyword.arg for keyword in call.keywords}]


def _raised(error: Exception) -> Exception:
    try:
        raise error  # noqa: TRY301 - what is tested is where it was raised
    except Exception as caught:  # noqa: BLE001 - the very one
        return caught


@pytest.mark.parametrize("error", [ZeroDivisionError("secret"), KeyError("secret"), AssertionError("secret")])
def test_a_fault_of_the_code_is_named_with_its_traceback_and_without_its_text(error: Exception) -> None:
    first, *frames = traced(_raised(error)).splitlines()
    assert first == type(error).__name__
    assert re.fullmatch(r"  File .*test_logs.*, line \d+, in _raised", frames[0])
    assert "secret" not in traced(error)


@pytest.mark.parametrize(
    "error", [HttpResponseError("https://account/secret"), TimeoutError(), Changed("it did"), ConnectionResetError()]
)
def test_what_is_no_fault_of_the_code_is_named_alone(error: Exception) -> None:
    assert traced(_raised(error)) == type(error).__name__


def test_each_error_of_a_group_is_named() -> None:
    group = ExceptionGroup("some", [_raised(TimeoutError()), _raised(ZeroDivisionError("secret"))])
    assert re.match(r"ExceptionGroup: TimeoutError, ZeroDivisionError\n  File ", traced(group))


def test_the_sdks_keep_their_requests_to_themselves() -> None:
    loggers = [
        logging.getLogger(name)
        for name in ("azure.core.pipeline.policies.http_logging_policy", "azure.identity", "twilio.async_http_client")
    ]
    before = {name: logging.getLogger(name).level for name in ("azure.identity", "twilio")}
    before["azure.core.pipeline.policies.http_logging_policy"] = loggers[0].level
    try:
        quieten()
        assert not [logger.name for logger in loggers if logger.isEnabledFor(logging.INFO)]
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
