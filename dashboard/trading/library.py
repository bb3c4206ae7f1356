"""The strategies that there are: the examples that come with the product, and custom ones."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dashboard.commands.trading import (
    SaveStrategy,
    StrategyCode,
    StrategySummary,
    TellStrategies,
    TellStrategy,
    ValidateStrategy,
)
from dashboard.core.errors import StrategyError, TradingError
from dashboard.core.trading.hosting import Host, Validated
from dashboard.storage.trading import TradingRepository
from dashboard.trading.saving import Saver

EXAMPLES, CUSTOM = "examples", "custom"
FOLDER = Path(__file__).parent / "examples"


def read_examples(folder: Path = FOLDER) -> dict[str, str]:
    """Read the examples, by their names."""
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.lua"))}


class Library:
    """Finds strategies and keeps custom ones, each change as a new version; none is ever lost.

    An example has one version. `clock` is in ns since the Unix epoch.
    """

    def __init__(
        self,
        examples: Mapping[str, str],
        *,
        saver: Saver,
        host: Host,
        clock: Callable[[], int],
    ) -> None:
        self._examples = examples
        self._saver = saver
        self._host = host
        self._clock = clock
        self._read: dict[str, StrategyCode] = {}
        """The examples that were asked for, with their parameters."""

    async def list(self, _asked: TellStrategies) -> Sequence[StrategySummary]:
        """Tell all strategies."""
        custom = await self._saver.do(TradingRepository.strategies)
        return [
            *(StrategySummary(name=each, category=EXAMPLES, version=1) for each in self._examples),
            *(
                StrategySummary(name=name, category=CUSTOM, version=version)
                for name, version in custom.items()
            ),
        ]

    async def tell(self, asked: TellStrategy) -> StrategyCode:
        """Tell one version of a strategy."""
        return await self.find(asked.name, asked.version)

    async def find(self, name: str, version: int | None = None) -> StrategyCode:
        """Give a version of a strategy, the newest where none is named.

        Raises:
            TradingError: when there is none.
        """
        if name in self._examples:
            if version in {None, 1}:
                return await self._example(name)
            raise _not_found(f"strategy {name!r} has no version {version}; allowed: 1")
        stored = await self._saver.do(lambda kept: kept.strategy(name, version))
        if stored is not None:
            return StrategyCode(
                name=name,
                category=CUSTOM,
                version=stored.version,
                code=stored.code,
                parameters=stored.parameters,
            )
        newest = (await self._saver.do(TradingRepository.strategies)).get(name)
        if newest is not None:
            raise _not_found(f"strategy {name!r} has no version {version}; allowed: 1 to {newest}")
        raise _not_found(f"there is no strategy {name!r}; allowed: those of GET /api/strategies")

    async def save(self, asked: SaveStrategy) -> StrategyCode:
        """Keep code as a custom strategy, or as its next version.

        Raises:
            TradingError: when the name is an example's.
            StrategyError: when the code is not valid; it is not kept.
        """
        name = asked.name
        if name in self._examples:
            problem = f"strategy {name!r} is an example, which does not change; choose another name"
            raise TradingError(code="INVALID_REQUEST", problem=problem)
        validated = await self._host.validate(asked.code)
        for problem in validated.problems:
            raise StrategyError(problem=problem.message, line=problem.line)
        parameters = dict(validated.parameters)
        stored = await self._saver.do(
            lambda kept: kept.add_strategy(
                name, asked.code, parameters, created_by=asked.created_by, now=self._clock()
            )
        )
        return StrategyCode(
            name=name,
            category=CUSTOM,
            version=stored.version,
            code=stored.code,
            parameters=stored.parameters,
        )

    async def validate(self, asked: ValidateStrategy) -> Validated:
        """Say what is wrong with code."""
        return await self._host.validate(asked.code)

    async def _example(self, name: str) -> StrategyCode:
        known = self._read.get(name)
        if known is None:
            code = self._examples[name]
            validated = await self._host.validate(code)
            known = self._read[name] = StrategyCode(
                name=name,
                category=EXAMPLES,
                version=1,
                code=code,
                parameters=validated.parameters,
            )
        return known


def _not_found(problem: str) -> TradingError:
    return TradingError(code="STRATEGY_NOT_FOUND", problem=problem)
