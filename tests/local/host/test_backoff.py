from local.host.backoff import SHORTEST_SECONDS, Backoff


def test_waits_grow_from_the_shortest_to_the_longest_and_stay_there() -> None:
    backoff = Backoff(longest_seconds=2)
    waits = [backoff.next_seconds() for _ in range(10)]
    assert waits[0] == SHORTEST_SECONDS
    assert waits == sorted(waits)
    assert waits[-3:] == [2, 2, 2]


def test_a_wait_doubles_give_or_take_a_fifth() -> None:
    backoff = Backoff(longest_seconds=60)
    backoff.next_seconds()
    for exponent in range(8):
        growth = backoff.next_seconds() / SHORTEST_SECONDS - 1
        assert 0.79 * 2**exponent <= growth <= 1.21 * 2**exponent


def test_a_reset_starts_again() -> None:
    backoff = Backoff(longest_seconds=2)
    for _ in range(5):
        backoff.next_seconds()
    backoff.reset()
    assert backoff.next_seconds() == SHORTEST_SECONDS
