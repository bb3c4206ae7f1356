from dashboard.ui.description import Description


def test_it_is_told_when_it_changes_and_when_it_is_due_again() -> None:
    description = Description()
    assert description.told({"paused": False}, again=False) == {"d": {"paused": False}}
    assert description.told({"paused": False}, again=False) == {}
    assert description.told({"paused": False}, again=True) == {"d": {"paused": False}}
    assert description.number == 1
    assert description.told({"paused": True}, again=False) == {"d": {"paused": True}}
    assert description.number == 2
