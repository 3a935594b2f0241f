import pytest

from shared.errors import SignatureInvalid, SwitchboardError, TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.outbound.outcome import Decision, decide

PERMANENT = [
    *(21211, 21217, 21612, 21614, 21635, 30004, 30005, 30006, 63003, 63024, 13223, 13224, 13226),  # the recipient
    *(21602, 21603, 21604, 21617, 21620, 21609, 35114, 35115, 35117, 63016),  # the request
    *(20404, 21212, 21210, 21408, 21215, 21216, 21601, 21606, 21608, 21219, 21703, 30007, 30032, 30034),  # our side
]


def refused(code: int, status: int = 400) -> TwilioRefused:
    return TwilioRefused(status=status, code=code, explanation="")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TwilioUnavailable("429", code=20429, retry_after=3), Decision.RETRY),
        (TwilioUnavailable("refused connection"), Decision.RETRY),
        (TooLate("nothing left this process"), Decision.RETRY),
        (TwilioUnclear("HTTP 500", code=20500), Decision.FIND_OUT),
        (TwilioUnclear("HTTP 503", code=20503), Decision.FIND_OUT),
        (TwilioUnclear("no answer"), Decision.FIND_OUT),
        (refused(21611), Decision.RETRY),
        (refused(20003, status=401), Decision.RETRY),
        (refused(99999, status=401), Decision.RETRY),
        (refused(30002), Decision.RETRY),
        (refused(21610), Decision.SUPPRESS),
        (refused(63014), Decision.SUPPRESS),
        (refused(99999), Decision.FAIL),
        (refused(404, status=404), Decision.FAIL),
        *[(refused(code), Decision.FAIL) for code in PERMANENT],
    ],
    ids=lambda value: f"{value}" if isinstance(value, SwitchboardError) else value.name,
)
def test_an_error_of_a_send_says_what_becomes_of_the_request(error: SwitchboardError, expected: Decision) -> None:
    assert decide(error) is expected


def test_an_error_of_something_else_is_no_outcome() -> None:
    with pytest.raises(TypeError, match="SignatureInvalid"):
        decide(SignatureInvalid("x"))
