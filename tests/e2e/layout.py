"""What is wrong with a page's layout, as its document tells."""

from pathlib import Path

from playwright.sync_api import Page

FAULTS = Path(__file__).with_suffix(".js").read_text()


def faults(page: Page) -> list[str]:
    """Give what of a page is cut off or scrolls sideways as it stands, a line each.

    Digits are never cut, a name only with an ellipsis and where a title has it whole; a table may
    scroll sideways where it is a region that has a name and takes the focus.
    """
    return page.evaluate(FAULTS)
