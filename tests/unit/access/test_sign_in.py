import re

import pytest

from dashboard.access.sign_in import sign_in_page
from dashboard.ui.theme import DARK, LIGHT


@pytest.mark.parametrize(("theme", "begins"), [(LIGHT, ":root"), (DARK, "@media")])
def test_its_colours_are_those_of_the_other_pages(theme: dict[str, str], begins: str) -> None:
    page = bytes(sign_in_page("/").body).decode()
    rules = page[page.index(begins) :]
    named = dict(re.findall(r"--([\w-]+): (#\w+);", rules[: rules.index("}")]))
    assert named
    assert named == {name: theme[name] for name in named}


def test_only_a_problem_is_an_alert() -> None:
    assert b"alert" not in bytes(sign_in_page("/").body).partition(b"</style>")[2]
    page = bytes(sign_in_page("/", problem="<wrong>").body)
    assert b'<p role="alert">&lt;wrong&gt;</p>' in page
