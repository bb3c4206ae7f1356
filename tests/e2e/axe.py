"""What axe-core finds wrong with a page."""

import json

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page

WIDTHS = ((1440, 900), (390, 844))
OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
"""The size of targets is not looked at unless it is asked for."""


def violations(page: Page) -> str:
    """Report what axe-core finds on a page as it stands; nothing where it finds nothing."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    results = AxeResults(page.evaluate(f"axe.run({json.dumps(OPTIONS)})"))
    return results.generate_report() if results.violations_count else ""


def violations_everywhere(page: Page) -> str:
    """Report what axe-core finds on a page, dark and light, wide and narrow."""
    reports = []
    for width, height in WIDTHS:
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            page.locator(f"html.{scheme}, html:not([class])").wait_for()
            if found := violations(page):
                reports.append(f"at {width} px, {scheme}:\n{found}")
    return "\n".join(reports)
