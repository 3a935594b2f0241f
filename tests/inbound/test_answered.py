"""Which delivery a text answers: the quoted one, or the last one, and none where it may be several."""

import hashlib
from datetime import timedelta

import msgspec
import pytest

from shared.deliveries import keys
from shared.deliveries.record import Delivery
from shared.inbound.answered import find_answered
from shared.inbound.form import Form
from tests.deliveries.samples import NOW, a_delivery
from tests.fakes import a_sid
from tests.storage import Storage

PERSON, NUMBER, SERVICE = "+14155550177", "+15005550006", "MG" + "5" * 32
HOUR = timedelta(hours=1)


async def sent(storage: Storage, *, ago: timedelta, **changes: object) -> Delivery:
    """Have something sent to the person, in the past."""
    sid = a_sid()
    values = {"id": f"order-{sid}", "sid": sid, "to": PERSON, "from_": NUMBER, "status": "delivered", **changes}
    made = await storage.log.claim(a_delivery(created_at=NOW - ago, **values))
    assert made is not None
    await storage.log.own_sid(sid, made.id)
    return made


async def answered(storage: Storage, *, person: str = PERSON, **fields: str) -> str | None:
    form = Form([("From", person), ("To", NUMBER), *fields.items()])
    found = await find_answered(form, log=storage.log, lookups=storage.lookups, now=NOW)
    return None if found is None else found.id


async def test_a_text_answers_the_last_that_its_sender_got_from_that_number(storage: Storage) -> None:
    await sent(storage, ago=30 * HOUR)
    last = await sent(storage, ago=2 * HOUR)
    await sent(storage, ago=timedelta(minutes=5), from_="+15005550010")
    await sent(storage, ago=timedelta(minutes=4), channel="call")
    await sent(storage, ago=timedelta(minutes=3), to="+14155550178")
    assert await answered(storage) == last.id


@pytest.mark.parametrize(("apart", "is_clear"), [(timedelta(minutes=59), False), (HOUR, True)])
async def test_of_two_within_an_hour_nobody_knows_which(storage: Storage, apart: timedelta, *, is_clear: bool) -> None:
    await sent(storage, ago=timedelta(minutes=40) + apart)
    last = await sent(storage, ago=timedelta(minutes=40))
    assert await answered(storage) == (last.id if is_clear else None)


async def test_of_two_within_an_hour_nobody_knows_which_whatever_else_came_between(storage: Storage) -> None:
    await sent(storage, ago=timedelta(minutes=50))
    for minutes in range(20, 30):
        await sent(storage, ago=timedelta(minutes=minutes), channel="call")
    await sent(storage, ago=timedelta(minutes=10))
    assert await answered(storage) is None


async def test_replies_that_went_out_by_themselves_do_not_hide_what_was_sent_before(storage: Storage) -> None:
    last = await sent(storage, ago=2 * HOUR)
    for minutes in range(14):
        await sent(storage, ago=timedelta(minutes=minutes), answers=a_sid())
    assert await answered(storage) == last.id


async def test_among_too_many_to_look_at_none_is_answered(storage: Storage) -> None:
    await sent(storage, ago=timedelta(minutes=50))
    for minutes in range(21):
        await sent(storage, ago=timedelta(minutes=minutes), channel="call")
    assert await answered(storage) is None


async def test_what_waited_for_its_time_counts_from_then(storage: Storage) -> None:
    """A reminder that was asked for weeks ago came a minute ago."""
    reminder = a_sid()
    waits = {"status": "scheduled", "next_attempt_at": NOW - timedelta(minutes=1)}
    made = await sent(storage, ago=timedelta(days=20), **waits)
    await storage.log.change(made, msgspec.structs.replace(made, status="delivered", sid=reminder))
    assert await answered(storage) == made.id
    await sent(storage, ago=timedelta(days=2), **{**waits, "next_attempt_at": NOW + timedelta(days=1)})
    assert await answered(storage) == made.id, "what is still to come was not answered"
    await sent(storage, ago=timedelta(minutes=30))
    assert await answered(storage) is None


async def test_what_twilio_quotes_is_the_one_however_many_there_are(storage: Storage) -> None:
    quoted = await sent(storage, ago=timedelta(minutes=50))
    await sent(storage, ago=timedelta(minutes=40))
    assert await answered(storage, OriginalRepliedMessageSid=quoted.sid or "") == quoted.id


@pytest.mark.parametrize("quoted", ["SM" + "0" * 32, "' or 1 eq 1", "x" * 500])
async def test_a_quote_of_what_is_not_on_record_is_no_answer_to_anything_else(storage: Storage, quoted: str) -> None:
    await sent(storage, ago=timedelta(minutes=50))
    assert await answered(storage, OriginalRepliedMessageSid=quoted) is None


async def test_a_quote_of_what_somebody_else_got_is_none(storage: Storage) -> None:
    other = await sent(storage, ago=timedelta(minutes=50), to="+14155550178")
    assert await answered(storage, OriginalRepliedMessageSid=other.sid or "") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "failed"},
        {"status": "undelivered"},
        {"status": "suppressed", "sid": None},
        {"answers": "SM1"},
        {"direction": "inbound"},
    ],
    ids=str,
)
async def test_what_never_reached_them_and_what_went_out_by_itself_is_not_answered(
    storage: Storage, changes: dict[str, object]
) -> None:
    await sent(storage, ago=HOUR, **changes)
    assert await answered(storage) is None


SPELLINGS = [
    ("whatsapp:+5215512345678", "whatsapp:+525512345678"),
    ("whatsapp:+553188887777", "whatsapp:+5531988887777"),
    ("+5491123456789", "+541123456789"),
    ("rcs:+14155550177", "+14155550177"),
]


@pytest.mark.parametrize(("told", "asked"), SPELLINGS)
async def test_a_text_from_another_spelling_of_the_phone_answers_it(storage: Storage, told: str, asked: str) -> None:
    last = await sent(storage, ago=HOUR, to=asked)
    assert await answered(storage, person=told) == last.id
    assert await answered(storage, person=told, OriginalRepliedMessageSid=last.sid or "") == last.id


@pytest.mark.parametrize(("told", "asked"), SPELLINGS[:3])
async def test_what_an_earlier_version_sent_to_another_spelling_is_answered_too(
    storage: Storage, told: str, asked: str
) -> None:
    last = await sent(storage, ago=HOUR, to=told)
    row = keys.recipient_row(last)
    await storage.lookups.delete(row["PartitionKey"], row["RowKey"])
    await storage.lookups.put({**row, "PartitionKey": f"to:{hashlib.sha256(told.encode()).hexdigest()[:32]}"})
    assert await answered(storage, person=asked) == last.id


async def test_a_text_to_another_spelling_of_the_number_that_sent_it_answers_it(storage: Storage) -> None:
    last = await sent(storage, ago=HOUR, from_="whatsapp:+525512345678")
    form = Form([("From", PERSON), ("To", "whatsapp:+5215512345678")])
    found = await find_answered(form, log=storage.log, lookups=storage.lookups, now=NOW)
    assert found is not None
    assert found.id == last.id


async def test_after_three_days_a_text_answers_nothing(storage: Storage) -> None:
    await sent(storage, ago=timedelta(days=3, seconds=1))
    assert await answered(storage) is None


async def test_a_service_is_answered_at_whichever_number_it_used(storage: Storage) -> None:
    of_service = await sent(storage, ago=HOUR, from_=SERVICE)
    assert await answered(storage) == of_service.id
    assert await answered(storage, MessagingServiceSid=SERVICE) == of_service.id
    assert await answered(storage, MessagingServiceSid="MG" + "6" * 32) is None


async def test_what_was_erased_is_not_answered(storage: Storage) -> None:
    made = await sent(storage, ago=HOUR)
    await storage.log.erase(made, now=NOW)
    assert await answered(storage) is None


async def test_somebody_without_a_number_answers_nothing(storage: Storage) -> None:
    form = Form([("To", NUMBER), ("Body", "Hello")])
    assert await find_answered(form, log=storage.log, lookups=storage.lookups, now=NOW) is None
