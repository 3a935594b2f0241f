"""Whom an erasure is about, and the receipt's own arithmetic."""

from datetime import timedelta

import msgspec
import pytest

from shared.deliveries import keys
from shared.erasures.person import addresses, digests
from shared.erasures.receipt import Receipt, Tally, as_shown, begun, gone_on, passed
from shared.text.numbers import NumberInvalid
from tests.deliveries.samples import NOW

ALICE = "+14155550100"
EVERY_WAY = (ALICE, f"whatsapp:{ALICE}", f"rcs:{ALICE}")


@pytest.mark.parametrize(
    ("written", "region", "expected"),
    [
        (ALICE, None, EVERY_WAY),
        (" +1 (415) 555-0100 ", None, EVERY_WAY),
        ("415 555 0100", "US", EVERY_WAY),
        (f"whatsapp:{ALICE}", None, EVERY_WAY),
        (f"rcs:{ALICE}", None, EVERY_WAY),
        ("messenger:1234567", None, ("messenger:1234567",)),
        ("client:alice", None, ("client:alice",)),
        ("12345", None, ("12345",)),
    ],
)
def test_a_phone_is_one_person_on_every_channel(written: str, region: str | None, expected: tuple[str, ...]) -> None:
    assert addresses(written, region=region) == expected


@pytest.mark.parametrize("written", ["", "hello", "4155550100", "0014155550100", "whatsapp:", "+1", "a b:c", ":"])
def test_what_no_delivery_can_have_is_refused(written: str) -> None:
    with pytest.raises(NumberInvalid):
        addresses(written, region=None)


def test_the_first_hash_is_that_of_the_plain_number() -> None:
    assert digests(EVERY_WAY)[0] == keys.digest(ALICE)
    assert len(digests(EVERY_WAY)) >= 3


def a_receipt(**more: object) -> Receipt:
    return msgspec.structs.replace(Receipt(id="0" * 32, digests=("d",), asked_at=NOW, next_at=NOW), **more)


def test_a_pass_that_erased_something_is_followed_by_another_and_an_empty_one_ends_it() -> None:
    first = gone_on(begun(a_receipt(), NOW), Tally(done={"calls": 2}), cursor=None)
    again = passed(first, NOW, is_listed=True)
    assert (again.status, again.next_at, again.finished_at) == ("running", NOW + timedelta(minutes=1), None)
    second = passed(begun(again, NOW), NOW, is_listed=True)
    assert (second.status, second.finished_at, second.tally.done) == ("finished", NOW, {"calls": 2})


def test_what_is_left_belongs_to_one_pass_and_what_is_done_to_all() -> None:
    tally = Tally(done={"calls": 1}, left={"calls": 1}, refused={"no": 1}, ids=("a",))
    receipt = passed(gone_on(a_receipt(), tally, cursor=None), NOW, is_listed=True)
    assert receipt.next_at == NOW + timedelta(minutes=30)
    assert begun(receipt, NOW).tally == Tally(done={"calls": 1})


def test_tallies_are_added_and_name_twenty_ids_at_most() -> None:
    whole = Tally()
    for number in range(30):
        whole += Tally(left={"calls": 1}, ids=(f"order-{number}",))
    assert whole.left == {"calls": 30}
    assert whole.ids == tuple(f"order-{number}" for number in range(20))


def test_a_receipt_shows_nothing_of_the_machinery() -> None:
    assert as_shown(a_receipt(by="ops")).keys() == {
        "id",
        "status",
        "person",
        "asked_at",
        "started_at",
        "finished_at",
        "by",
        "done",
        "left",
        "refused",
        "ids",
        "stays",
    }
