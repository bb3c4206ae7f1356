from dashboard.ui.opening import FIRST_WAIT_S, MAX_WAIT_S, REOPENING_S, Opening


def test_page_that_does_not_answer_gets_openings_ever_more_rarely() -> None:
    opening = Opening()
    now_s = 100.0
    waits = []
    for _ in range(6):
        waited_s = 0.0
        while not opening.due(now_s + waited_s):
            waited_s += FIRST_WAIT_S
        waits.append(waited_s)
        now_s += waited_s
        opening.made(now_s)
    assert waits == [0, FIRST_WAIT_S, 2 * FIRST_WAIT_S, MAX_WAIT_S, MAX_WAIT_S, MAX_WAIT_S]
    assert not opening.begun


def test_page_that_has_taken_one_gets_no_other() -> None:
    opening = Opening()
    opening.made(0.0)
    opening.taken()
    assert opening.begun
    assert not opening.due(1e9)


def test_page_that_lacks_something_gets_one_but_not_all_the_time() -> None:
    opening = Opening()
    opening.made(0.0)
    opening.taken()
    opening.lost()
    assert not opening.due(REOPENING_S / 2)
    assert opening.due(REOPENING_S)
    opening.made(REOPENING_S)
    assert not opening.due(1e9), "made up for"
    opening.lost()
    assert opening.due(2 * REOPENING_S)
