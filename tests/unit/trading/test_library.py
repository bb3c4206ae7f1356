"""Strategies that come with the product, and those that are kept."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dashboard.commands.trading import SaveStrategy, TellStrategies, TellStrategy, ValidateStrategy
from dashboard.core.errors import StrategyError, TradingError
from dashboard.trading.library import read_examples
from tests.unit.trading.fake_host import BROKEN, IDLE, PARAMETERS, TRADER
from tests.unit.trading.parts import Parts, running

EXAMPLE = "ema_crossover"


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    async with running(tmp_path) as parts:
        yield parts


async def test_examples_come_first_then_custom_ones_by_name(parts: Parts) -> None:
    await parts.save("another")
    listed = await parts.ask(TellStrategies())
    examples = sorted(read_examples())
    assert EXAMPLE in examples
    assert [(each.name, each.category) for each in listed] == [
        *((name, "examples") for name in examples),
        ("another", "custom"),
        ("trader", "custom"),
    ]


async def test_a_strategy_is_told_with_its_code_and_parameters(parts: Parts) -> None:
    assert (await parts.save(code=IDLE)).version == 2
    newest = await parts.ask(TellStrategy(name="trader"))
    assert (newest.version, newest.code, newest.parameters) == (2, IDLE, {})
    first = await parts.ask(TellStrategy(name="trader", version=1))
    assert (first.version, first.code, first.parameters) == (1, TRADER, PARAMETERS)
    example = await parts.ask(TellStrategy(name=EXAMPLE))
    assert (example.category, example.version) == ("examples", 1)
    assert example.code == read_examples()[EXAMPLE]


@pytest.mark.parametrize(
    ("name", "version", "words"),
    [
        ("nope", None, ["'nope'", "GET /api/strategies"]),
        ("nope", 1, ["'nope'"]),
        ("trader", 2, ["version 2", "1 to 1"]),
        (EXAMPLE, 2, ["version 2", "allowed: 1"]),
    ],
)
async def test_what_there_is_not_is_named(
    parts: Parts, name: str, version: int | None, words: list[str]
) -> None:
    with pytest.raises(TradingError) as caught:
        await parts.ask(TellStrategy(name=name, version=version))
    assert caught.value.code == "STRATEGY_NOT_FOUND"
    assert all(word in caught.value.problem for word in words)


async def test_code_that_is_not_valid_is_not_kept(parts: Parts) -> None:
    with pytest.raises(StrategyError, match="unexpected symbol") as caught:
        await parts.ask(SaveStrategy(name="trader", code=BROKEN))
    assert caught.value.line == 1
    assert (await parts.ask(TellStrategy(name="trader"))).version == 1
    found = await parts.ask(ValidateStrategy(code=BROKEN))
    assert [(each.message, each.line) for each in found.problems] == [
        ("unexpected symbol near 'broken'", 1)
    ]
    assert (await parts.ask(ValidateStrategy(code=TRADER))).parameters == PARAMETERS


async def test_an_example_does_not_change(parts: Parts) -> None:
    with pytest.raises(TradingError, match="is an example") as caught:
        await parts.save(EXAMPLE)
    assert caught.value.code == "INVALID_REQUEST"
