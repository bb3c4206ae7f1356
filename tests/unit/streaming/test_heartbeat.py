import pytest

from dashboard.streaming.heartbeat import Beat, Heartbeat

LOOKS_A_SECOND = 2


def silence(beat: Heartbeat, *, begins_s: float, looks: int) -> dict[float, Beat]:
    """Look twice a second at a client that says nothing; give what was to be done, and when."""
    times = [begins_s + number / LOOKS_A_SECOND for number in range(1, looks + 1)]
    asked = {now_s: beat.look(now_s, heard=False) for now_s in times}
    return {now_s: each for now_s, each in asked.items() if each is not None}


@pytest.mark.parametrize(
    ("interval_s", "timeout_s", "expected"),
    [
        (20, 20, {20: Beat.PING, 40.5: Beat.GIVE_UP}),
        (5, 10, {5: Beat.PING, 15.5: Beat.GIVE_UP}),
        (10, 5, {10: Beat.PING, 15.5: Beat.GIVE_UP}),
        (1, 40, {1: Beat.PING, 41.5: Beat.GIVE_UP}),
        (1e-9, 1e-9, {0.5: Beat.PING, 1.5: Beat.GIVE_UP}),
    ],
)
def test_who_is_silent_is_pinged_and_then_given_up(
    interval_s: float, timeout_s: float, expected: dict[float, Beat]
) -> None:
    beat = Heartbeat(interval_s=interval_s, timeout_s=timeout_s, now_s=0)
    seen = silence(beat, begins_s=0, looks=100)
    assert dict(list(seen.items())[:2]) == expected


def test_whoever_is_heard_is_pinged_only_after_another_silence() -> None:
    beat = Heartbeat(interval_s=5, timeout_s=10, now_s=0)
    assert silence(beat, begins_s=0, looks=29) == {5: Beat.PING}  # its answer comes late
    assert beat.look(14.75, heard=True) is None
    assert silence(beat, begins_s=14.75, looks=20) == {19.75: Beat.PING}


def test_an_answer_that_came_while_nobody_could_look_counts() -> None:
    beat = Heartbeat(interval_s=5, timeout_s=1, now_s=0)
    assert beat.look(5, heard=False) is Beat.PING
    assert beat.look(60, heard=False) is None  # we stood still, and have not read yet
    assert beat.look(60.5, heard=True) is None
    assert beat.look(66, heard=False) is Beat.PING
