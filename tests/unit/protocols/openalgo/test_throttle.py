import itertools

from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.instruments import InstrumentKey
from dashboard.protocols.openalgo.modes import Mode
from dashboard.protocols.openalgo.throttle import Throttle

KEY: InstrumentKey = ("NSE", "TCS")


def test_the_first_tick_goes_at_once_and_the_last_at_the_windows_end() -> None:
    throttle = Throttle(window_ns=50)
    assert throttle.passes(KEY, Mode.QUOTE, 0)
    assert throttle.next_due is None
    assert not throttle.passes(KEY, Mode.QUOTE, 10)
    assert not throttle.passes(KEY, Mode.DEPTH, 20)
    assert throttle.next_due == 50
    assert throttle.due(49) == []
    assert throttle.due(50) == [(KEY, Mode.QUOTE)]
    assert not throttle.passes(KEY, Mode.DEPTH, 60)
    assert throttle.due(100) == [(KEY, Mode.DEPTH)]
    assert throttle.due(150) == []
    assert throttle.passes(KEY, Mode.QUOTE, 151)


def test_zero_throttles_nothing() -> None:
    throttle = Throttle(window_ns=0)
    assert all(throttle.passes(KEY, Mode.QUOTE, 0) for _ in range(3))
    assert throttle.next_due is None


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from("ABC"))))
def test_nobody_is_left_with_an_old_price(steps: list[tuple[int, str]]) -> None:
    throttle = Throttle(window_ns=50)
    now, newest, sent, sent_at = 0, dict[str, int](), dict[str, int](), dict[str, list[int]]()

    def send(symbol: str) -> None:
        sent[symbol] = newest[symbol]
        sent_at.setdefault(symbol, []).append(now)

    for number, (wait, symbol) in enumerate(steps):
        now += wait
        for (_, due), _ in throttle.due(now):
            send(due)
        newest[symbol] = number
        if throttle.passes(("NSE", symbol), Mode.QUOTE, now):
            send(symbol)
    while (next_due := throttle.next_due) is not None:
        now = max(now, next_due)
        for (_, due), _ in throttle.due(now):
            send(due)
    assert sent == newest
    for times in sent_at.values():
        assert all(later - earlier >= 50 for earlier, later in itertools.pairwise(times))
