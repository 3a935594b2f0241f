from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Fault
from shared.text.templates.values import KINDS, LARGEST, Declared, read_data

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def faults_of(kind: str, value: object) -> list[Fault]:
    return read_data({"v": Declared(kind)}, {"v": value})[1]


@pytest.mark.parametrize(
    ("kind", "given", "read"),
    [
        ("text", "Ada", "Ada"),
        ("text", "", ""),
        ("integer", -7, -7),
        ("number", 7, 7),
        ("number", 7.25, 7.25),
        ("boolean", False, False),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("time", "09:30", time(9, 30)),
        ("time", "23:59:59", time(23, 59, 59)),
        ("datetime", "2026-01-31T09:30", datetime(2026, 1, 31, 9, 30)),  # noqa: DTZ001 - that is what it says
        ("datetime", "2026-01-31T09:30:15Z", datetime(2026, 1, 31, 9, 30, 15, tzinfo=UTC)),
        (
            "datetime",
            "2026-01-31T09:30+05:30",
            datetime(2026, 1, 31, 9, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        ),
        ("list of text", ["a", "b"], ("a", "b")),
        ("list of date", ["2026-01-31"], (date(2026, 1, 31),)),
        ("list of integer", [], ()),
    ],
)
def test_a_value_of_its_type_is_read(kind: str, given: object, read: object) -> None:
    assert read_data({"v": Declared(kind)}, {"v": given}) == ({"v": read}, [])


@pytest.mark.parametrize(
    ("kind", "given", "problem"),
    [
        ("text", 7, "expected a text, got a number"),
        ("text", None, "expected a text, got null"),
        ("text", "x" * 4001, "expected at most 4000 characters, got 4001"),
        ("integer", True, "expected a whole number, got a boolean"),
        ("integer", 7.0, "expected a whole number, got a number"),
        ("integer", "7", "expected a whole number, got a text"),
        ("integer", LARGEST + 1, f"expected a number from -{LARGEST} to {LARGEST}, got one beyond"),
        ("number", float("inf"), "expected a number, got a number"),
        ("number", -1e16, f"expected a number from -{LARGEST} to {LARGEST}, got one beyond"),
        ("boolean", "true", "expected true or false, got a text"),
        ("boolean", 1, "expected true or false, got a number"),
        ("date", 20260131, "expected a date such as 2026-01-31, got a number"),
        ("date", "31.01.2026", "expected a date such as 2026-01-31, got another text"),
        ("date", "2026-02-29", "expected a date such as 2026-01-31, got another text"),
        ("date", "20260131", "expected a date such as 2026-01-31, got another text"),
        ("date", "2026-01-31\n", "expected a date such as 2026-01-31, got another text"),
        ("time", "9:30", "expected a time such as 09:30, got another text"),
        ("time", "09:30:00.5", "expected a time such as 09:30, got another text"),
        ("time", "09:30Z", "expected a time such as 09:30, got another text"),
        ("time", "24:00", "expected a time such as 09:30, got another text"),
        ("datetime", "2026-01-31", "expected a date and time such as 2026-01-31T09:30+01:00, got another text"),
        ("datetime", {}, "expected a date and time such as 2026-01-31T09:30+01:00, got an object"),
        ("list of text", "a", "expected a list of at most 100, got a text"),
        ("list of text", ["a"] * 101, "expected a list of at most 100, got one of 101"),
        ("list of text", ["a", 2], "item 2: expected a text, got a number"),
        ("list of date", ["x"], "item 1: expected a date such as 2026-01-31, got another text"),
    ],
)
def test_a_value_of_another_type_is_a_fault_that_says_what_was_expected(kind: str, given: object, problem: str) -> None:
    assert faults_of(kind, given) == [Fault("data.v", problem)]


def test_every_fault_is_named_at_once() -> None:
    declared = {"name": Declared("text"), "when": Declared("date"), "tags": Declared("list of text")}
    _, faults = read_data(declared, {"when": 3, "nmae": "Ada", "a b": 1})
    assert faults == [
        Fault("data.nmae", "is no value of this template, which takes name, when, tags"),
        Fault("data", "a name of 3 characters is no value of this template, which takes name, when, tags"),
        Fault("data.name", "is required: a text"),
        Fault("data.when", "expected a date such as 2026-01-31, got a number"),
        Fault("data.tags", "is required: a list, and in it a text"),
    ]


def test_a_value_that_is_left_out_is_its_default() -> None:
    declared = {"a": Declared("text", "x"), "b": Declared("list of text", ()), "c": Declared("date", "")}
    assert read_data(declared, {}) == ({"a": "x", "b": (), "c": ""}, [])


def test_null_is_no_way_to_leave_a_value_out() -> None:
    assert read_data({"a": Declared("text", "x")}, {"a": None})[1] == [Fault("data.a", "expected a text, got null")]


@given(st.sampled_from(KINDS), json_values)
def test_whatever_comes_is_read_or_is_one_fault(kind: str, value: object) -> None:
    values, faults = read_data({"v": Declared(kind)}, {"v": value})
    assert len(values) + len(faults) == 1


@given(st.dates(), st.times(), st.sampled_from(["", "Z", "+05:45", "-11:00"]))
def test_every_iso_moment_is_read_as_itself(day: date, at: time, offset: str) -> None:
    at = at.replace(microsecond=0)
    values, _ = read_data(
        {"d": Declared("date"), "t": Declared("time"), "m": Declared("datetime")},
        {"d": day.isoformat(), "t": at.isoformat(), "m": f"{day.isoformat()}T{at.isoformat()}{offset}"},
    )
    moment = values["m"]
    assert isinstance(moment, datetime)
    assert (values["d"], values["t"], moment.replace(tzinfo=None)) == (day, at, datetime.combine(day, at))


@given(st.sampled_from(KINDS), st.text(min_size=12), st.text(min_size=12))
def test_a_fault_never_shows_a_value(kind: str, text: str, other: str) -> None:
    secret = f"secret {text} secret"
    for value in (secret, [secret], {secret: other}):
        assert not any("secret" in fault.problem for fault in faults_of(kind, value))
