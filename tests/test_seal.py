from hypothesis import example, given
from hypothesis import strategies as st

from shared import seal

ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:~-]{0,99}", fullmatch=True)


@given(ids)
def test_an_id_comes_back_from_a_query_and_stands_there_without_an_escape(delivery_id: str) -> None:
    query = seal.sealed(seal.naming(delivery_id))
    assert seal.named(query) == delivery_id
    assert not set(query) & set(":@%+")


@given(ids, st.data())
def test_a_sealed_query_that_was_cut_is_not_sealed(delivery_id: str, data: st.DataObject) -> None:
    query = seal.sealed(seal.naming(delivery_id))
    assert seal.is_sealed(query)
    assert not seal.is_sealed(query[: data.draw(st.integers(0, len(query) - 1))])


@given(ids, st.text(min_size=1))
@example("order-1", "&v=2")
@example("order-1", "2&v=2")
def test_a_sealed_query_that_was_prolonged_is_not_sealed(delivery_id: str, more: str) -> None:
    assert not seal.is_sealed(seal.sealed(seal.naming(delivery_id)) + more)


@given(ids)
def test_the_first_form_is_read_and_has_no_seal(delivery_id: str) -> None:
    query = f"delivery={delivery_id.replace(':', '%3A')}"
    assert seal.named(query) == delivery_id
    assert not seal.is_sealed(query)


def test_a_query_without_a_name_names_nothing() -> None:
    assert [seal.named(query) for query in ("", "v=2", "delivery=", "delivery", "x=1&v=2")] == [None] * 5
