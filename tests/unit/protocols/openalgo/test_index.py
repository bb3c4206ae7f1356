from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.instruments import InstrumentKey
from dashboard.protocols.openalgo.index import Holding, Index
from dashboard.protocols.openalgo.modes import Form, Mode

KEYS: list[InstrumentKey] = [("NSE", "TCS"), ("BSE", "TCS")]
HOLDINGS = st.builds(Holding, st.frozensets(st.sampled_from(Mode)), st.sampled_from([5, 20, 30]))
PUTS = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from("abc"), HOLDINGS))


def holding(*modes: Mode, depth: int = 5) -> Holding:
    return Holding(frozenset(modes), depth)


def test_a_depth_tick_serves_all_modes_and_a_quote_tick_two() -> None:
    index = Index[str]()
    for client, mode in zip("abc", Mode, strict=True):
        index.put(KEYS[0], client, holding(mode))
    assert index.groups(KEYS[0], Mode.QUOTE) == {
        Form(Mode.LTP): {"a": None},
        Form(Mode.QUOTE): {"b": None},
    }
    assert index.groups(KEYS[0], Mode.DEPTH)[Form(Mode.DEPTH, 5)] == {"c": None}
    assert len(index.groups(KEYS[0], Mode.DEPTH)) == 3
    assert index.groups(KEYS[1], Mode.DEPTH) == {}


def test_who_holds_ltp_and_depth_gets_the_price_of_a_quote_tick() -> None:
    index = Index[str]()
    index.put(KEYS[0], "a", holding(Mode.LTP, Mode.DEPTH, depth=20))
    assert list(index.groups(KEYS[0], Mode.QUOTE)) == [Form(Mode.LTP)]
    assert list(index.groups(KEYS[0], Mode.DEPTH)) == [Form(Mode.DEPTH, 20)]


@given(PUTS)
def test_each_client_gets_one_copy_in_the_highest_mode_it_holds(
    puts: list[tuple[InstrumentKey, str, Holding]],
) -> None:
    index = Index[str]()
    held: dict[tuple[InstrumentKey, str], Holding] = {}
    for key, client, each in puts:
        index.put(key, client, each)
        held[key, client] = each
    for key in KEYS:
        for tick in Mode:
            got = [
                (client, form)
                for form, clients in index.groups(key, tick).items()
                for client in clients
            ]
            wanted = [
                (client, Form(mode, each.depth if mode is Mode.DEPTH else 0))
                for (at, client), each in held.items()
                if at == key and (mode := max((m for m in each.modes if m <= tick), default=None))
            ]
            assert sorted(got) == sorted(wanted)
    for key, client in held:
        index.put(key, client, Holding())
    assert len(index) == 0
    assert not any(index.groups(key, tick) for key in KEYS for tick in Mode)
