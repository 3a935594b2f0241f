from local.harness.points import Call, Point, points, worth_ending_at

FIRST_LOOK, INSERT = Call("queue get outbound", 1), Call("table insert Deliveries", 1)


def test_what_comes_with_time_is_no_step_of_a_request() -> None:
    with_time = [Call("queue get outbound", 2), Call("queue update outbound", 1)]
    assert worth_ending_at([FIRST_LOOK, INSERT, *with_time]) == [FIRST_LOOK, INSERT]


def test_the_moment_before_a_call_is_left_out_where_it_is_that_after_the_one_before() -> None:
    beside = Call("table get Consents", 1, alone=False)
    both = [Point(beside, after=False), Point(beside, after=True)]
    assert points([INSERT, beside], all_of_them=False) == [Point(INSERT, after=True), *both]
    assert points([INSERT], all_of_them=True) == [Point(INSERT, after=False), Point(INSERT, after=True)]
