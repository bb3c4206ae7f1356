from dashboard.history.quotes import Quotes
from dashboard.hub.hub import Hub
from tests.unit.fakes import Clock, book, control, open_interest, price, trade


def test_each_event_is_given_with_the_quote_as_it_left_it() -> None:
    hub = Hub(epoch="e", clock=Clock(), resume_events=10)
    quotes = Quotes(hub)
    for event in (price(value=1.0), control(), trade(value=2.0), price("ETH/USD", 3.0), book()):
        hub.publish(event)
    hub.publish(open_interest(500, 450))
    seen = [(quote.symbol, quote.ltp, event.kind) for quote, event in quotes.ticks()]
    assert seen == [
        ("BTC/USD", 1, "price"),
        ("BTC/USD", 2, "trade"),
        ("ETH/USD", 3, "price"),
        ("BTC/USD", 2, "book"),
        ("BTC/USD", 2, "open_interest"),
    ]
    quote = quotes.of("CRYPTO", "BTC/USD")
    assert quote is not None
    assert (quote.bid_price, quote.open_interest) == (100, 500)
    assert quotes.of("NSE", "BTC/USD") is None
    assert list(quotes.ticks()) == []


def test_an_event_that_fails_is_counted_and_the_others_are_given() -> None:
    hub = Hub(epoch="e", clock=Clock(), resume_events=10)
    quotes = Quotes(hub)
    hub.publish(trade(value=None))  # type: ignore[arg-type]
    hub.publish(price("ETH/USD", 3.0))
    assert [quote.symbol for quote, _ in quotes.ticks()] == ["ETH/USD"]
    assert hub.failures.by_place == {"quotes": 1}
