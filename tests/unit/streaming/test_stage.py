import pytest

from dashboard.streaming.stage import Progress, Stage

ALLOWED = {
    (Stage.ENTERING, Stage.OPEN),
    (Stage.ENTERING, Stage.CLOSING),
    (Stage.OPEN, Stage.KNOWN),
    (Stage.OPEN, Stage.CLOSING),
    (Stage.KNOWN, Stage.CLOSING),
}


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("asked", Stage)
def test_a_stage_is_followed_by_what_may_follow_it_alone(stage: Stage, asked: Stage) -> None:
    progress = Progress()
    progress.stage = stage
    allowed = (stage, asked) in ALLOWED
    assert progress.advance(asked) == allowed
    assert progress.stage is (asked if allowed else stage)


def test_a_client_takes_part_from_being_let_in_to_the_close() -> None:
    progress = Progress()
    seen = [(progress.takes_part, progress.closing)]
    for stage in (Stage.OPEN, Stage.KNOWN, Stage.CLOSING):
        progress.advance(stage)
        seen.append((progress.takes_part, progress.closing))
    assert seen == [(False, False), (True, False), (True, False), (False, True)]
