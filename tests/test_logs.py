import logging

import pytest

from shared.logs import about, quieten

_logger = logging.getLogger("switchboard.test")


def test_a_line_says_which_delivery_it_is_about_and_its_record_carries_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        about(_logger, "order-1").info("it is %s already", "sent")
    (record,) = caplog.records
    assert record.getMessage() == "it is sent already [delivery order-1]"
    assert record.__dict__["delivery"] == "order-1"


def test_other_fields_of_a_record_stand_beside_the_delivery(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        about(_logger, "order-1").info("accepted", extra={"sid": "SM1"})
    (record,) = caplog.records
    assert (record.__dict__["delivery"], record.__dict__["sid"]) == ("order-1", "SM1")


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
