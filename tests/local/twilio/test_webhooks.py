import asyncio

import aiohttp
import pytest
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from local.twilio.webhooks import Answer, Hook, HookError, Webhooks, open_session, signed_url
from tests.local.twilio.receiver import AUTH_TOKEN, Receiver, Reply

FIELDS = (("CallSid", "CA1"), ("Blank", ""), ("Twice", "b"), ("Twice", "a"), ("Digits", "1"))


async def sent(url: str, *, method: str = "POST", voice: bool = False) -> tuple[Answer | None, Webhooks]:
    async with open_session() as session:
        webhooks = Webhooks(session, auth_token=AUTH_TOKEN, pace=0)
        try:
            return await webhooks.send(Hook(url=url, fields=FIELDS, method=method, voice=voice)), webhooks
        except HookError:
            return None, webhooks


@pytest.mark.parametrize(
    ("fragment", "statuses", "attempts"),
    [
        ("", [503], 1),
        ("#rc=5&rp=all", [503, 503, 204], 3),
        ("#rc=5&rp=5xx", [503, 204], 2),
        ("#rc=5&rp=4xx", [503], 1),
        ("#rc=2&rp=4xx,5xx", [503, 404, 503], 3),
        ("#rc=9&rp=all", [503], 6),
        ("#rc=0&rp=all", [503], 1),
        ("#rp=5xx", [503], 2),
        ("#rc=many&rp=5xx", [503], 2),
    ],
)
async def test_errors_are_tried_again_as_the_fragment_says(
    receiver: Receiver, fragment: str, statuses: list[int], attempts: int
) -> None:
    url = receiver.answers("/hook", *(Reply(status=status) for status in statuses))
    answer, webhooks = await sent(f"{url}?a=1{fragment}")

    assert len(receiver.received) == attempts
    assert {request.raw_path for request in receiver.received} == {"/hook?a=1"}
    assert len({request.headers["I-Twilio-Idempotency-Token"] for request in receiver.received}) == 1
    (entry,) = webhooks.log
    assert (entry.attempts, entry.fault is None) == (attempts, answer is not None)


@pytest.mark.parametrize(("fragment", "attempts"), [("", 2), ("#rc=3", 4), ("#rc=0", 1), ("#rc=3&rp=5xx", 1)])
async def test_a_connect_failure_is_tried_again_by_default(unused_tcp_port: int, fragment: str, attempts: int) -> None:
    _, webhooks = await sent(f"http://127.0.0.1:{unused_tcp_port}/{fragment}")

    (entry,) = webhooks.log
    assert (entry.attempts, entry.status, entry.fault) == (attempts, None, "ct")


@pytest.mark.parametrize(("fragment", "attempts"), [("#rt=100", 1), ("#rt=100&rc=1&rp=rt", 2)])
async def test_a_late_answer_is_a_read_timeout(receiver: Receiver, fragment: str, attempts: int) -> None:
    never = asyncio.Event()
    url = receiver.holds("/hook", until=never)
    _, webhooks = await sent(f"{url}{fragment}")
    never.set()

    (entry,) = webhooks.log
    assert (entry.attempts, entry.fault) == (attempts, "rt")


async def test_the_total_time_ends_all_tries(receiver: Receiver) -> None:
    never = asyncio.Event()
    url = receiver.holds("/hook", until=never)
    _, webhooks = await sent(f"{url}#tt=100&rc=5&rp=all")
    never.set()

    (entry,) = webhooks.log
    assert (entry.attempts, entry.status, entry.fault) == (1, None, "rt")


async def test_blank_and_repeated_fields_are_sent_and_signed(receiver: Receiver) -> None:
    await sent(f"{receiver.url}/hook?b=2&a=%20&c=")
    (request,) = receiver.received

    assert list(request.form.items()) == list(FIELDS)
    assert request.raw_path == "/hook?b=2&a=%20&c="
    assert request.genuine


async def test_a_user_in_the_url_becomes_a_header_and_is_not_signed(receiver: Receiver) -> None:
    await sent(f"{receiver.url}/hook".replace("http://", "http://user:pass%20word@"))
    (request,) = receiver.received

    assert aiohttp.BasicAuth.decode(request.headers["Authorization"]).password == "pass word"
    assert request.genuine


async def test_a_redirection_is_followed_without_the_digits(receiver: Receiver) -> None:
    url = receiver.answers("/old", Reply(status=301, headers={"Location": "/new?a=1"}))
    await sent(url)
    old, new = receiver.received

    assert "Digits" in old.form
    assert (new.method, new.path) == ("GET", "/new")
    assert "Digits" not in new.raw_path


async def test_what_is_no_url_is_not_requested() -> None:
    answer, webhooks = await sent("/relative")

    assert answer is None
    assert list(webhooks.log) == []


@pytest.mark.parametrize(
    ("url", "voice", "signed"),
    [
        ("http://example.com:8080/a?b=1#rc=2", False, "http://example.com:8080/a?b=1"),
        ("http://example.com:8080/a", True, "http://example.com:8080/a"),
        ("https://example.com:8443/a", False, "https://example.com:8443/a"),
        ("https://example.com:8443/a", True, "https://example.com/a"),
        ("https://u:p@example.com/a?b=%7e&c=", True, "https://example.com/a?b=%7e&c="),
        ("https://u:p@example.com:8443/a", True, "https://example.com/a"),
    ],
)
def test_what_twilio_signs(url: str, *, voice: bool, signed: str) -> None:
    assert signed_url(url, voice=voice) == signed


def test_the_published_vector_is_signed_as_published() -> None:
    fields = MultiDict(
        {
            "CallSid": "CA1234567890ABCDE",
            "Caller": "+14158675310",
            "Digits": "1234",
            "From": "+14158675310",
            "To": "+18005551212",
        }
    )
    url = signed_url("https://example.com/myapp.php?foo=1&bar=2", voice=True)

    assert RequestValidator("12345").compute_signature(url, fields) == "L/OH5YylLD5NRKLltdqwSvS0BnU="
