import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.protocols.openalgo.modes import Mode
from dashboard.protocols.openalgo.topics import (
    INDEX_EXCHANGES,
    BusTopic,
    format_topic,
    parse_topic,
)

TOPICS = st.builds(
    BusTopic,
    st.none() | st.from_regex(r"[a-z][a-z0-9]{1,9}", fullmatch=True),
    st.sampled_from(["NSE", "BSE", "NFO", "MCX", "CRYPTO", *sorted(INDEX_EXCHANGES)]),
    st.from_regex(r"[A-HJ-Z0-9/][A-Z0-9_/]{0,19}", fullmatch=True),  # INDEX_… is part of NSE's name
    st.sampled_from(Mode),
)


@given(TOPICS)
def test_what_was_formatted_is_parsed_back(topic: BusTopic) -> None:
    assert parse_topic(format_topic(topic)) == topic


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("angelone_NSE_RELIANCE_QUOTE", BusTopic("angelone", "NSE", "RELIANCE", Mode.QUOTE)),
        (
            "zerodha_NFO_NIFTY24DEC19500CE_LTP",
            BusTopic("zerodha", "NFO", "NIFTY24DEC19500CE", Mode.LTP),
        ),
        ("dhan_NSE_INDEX_NIFTY_50_DEPTH", BusTopic("dhan", "NSE_INDEX", "NIFTY_50", Mode.DEPTH)),
        ("NSE_INDEX_NIFTY_50_LTP", BusTopic(None, "NSE_INDEX", "NIFTY_50", Mode.LTP)),
        ("NSE_M_M_QUOTE", BusTopic(None, "NSE", "M_M", Mode.QUOTE)),
    ],
)
def test_the_documents_examples(text: str, topic: BusTopic) -> None:
    assert parse_topic(text) == topic


@pytest.mark.parametrize(
    "text", ["", "LTP", "NSE_LTP", "NSE_TCS", "dhan_NSE_LTP", "NSE__LTP", "NSE_INDEX_LTP"]
)
def test_what_is_no_topic_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a topic"):
        parse_topic(text)
