"""The columns of a batch's rows, declared in Python and known to the page."""

import msgspec

from dashboard.ui import columns


def test_the_page_has_the_columns_that_python_declares() -> None:
    """Where this fails, run `python -m dashboard.ui.columns`."""
    assert columns.FILE.read_text() == columns.javascript()


def test_every_row_has_its_constant() -> None:
    named = set(columns.CONSTANTS.values())
    missing = {each for each in columns.Row.__subclasses__() if each not in named}
    assert missing == {columns.TradeRow}, "a part of the longer one"
    begun = columns.TradeRow.__struct_fields__
    assert columns.NamedTradeRow.__struct_fields__[: len(begun)] == begun


def test_a_row_goes_out_as_an_array() -> None:
    row = columns.QuoteRow(5, 1.5, 2.0, None, 0.0)
    assert msgspec.to_builtins({"q": [row]}) == {"q": [[5, 1.5, 2.0, None, 0.0]]}
