"""The one tree of errors; fields say what was wrong and what is allowed."""


class LivetapeError(Exception):
    """Base of every error that this project raises on purpose."""


class SettingError(LivetapeError):
    """A setting has a value that is not allowed. Terminal: the start ends.

    Where it `is_set` by nobody, `value` is its default, None where it has none.
    """

    def __init__(self, *, variable: str, value: object, allowed: str, is_set: bool = True) -> None:
        self.variable = variable
        self.value = value
        self.allowed = allowed
        self.is_set = is_set
        if is_set:
            problem = f"{variable}={value!r} is not allowed"
        elif value is None:
            problem = f"{variable} is not set"
        else:
            problem = f"{variable} is not set, and its default {value!r} is not allowed"
        super().__init__(f"{problem}; allowed: {allowed}")


class RequestError(LivetapeError):
    """A client sent something that its protocol does not define. Its connection stays."""

    def __init__(self, *, problem: str, allowed: str) -> None:
        self.problem = problem
        self.allowed = allowed
        super().__init__(f"{problem}; allowed: {allowed}")


class StreamError(LivetapeError):
    """A request of the OpenAlgo protocol cannot be met; `code` is one of its own codes.

    The connection stays.
    """

    def __init__(self, *, code: str, problem: str) -> None:
        self.code = code
        self.problem = problem
        super().__init__(f"{code}: {problem}")


class ResumeError(LivetapeError):
    """Events after the asked id cannot be given any more; a snapshot is the way on."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class TooOldError(ResumeError):
    """What came after the asked id is no longer kept."""

    def __init__(self) -> None:
        super().__init__("the id is too old: its successors are no longer kept")


class HubError(LivetapeError):
    """A hub that is served by another one was to publish, or one that publishes was to adopt.

    Terminal: the parts of the process were put together wrongly.
    """


class CodecError(LivetapeError):
    """What was to be read as one of our events is none. Nothing of it was taken."""

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)


class SubscriptionOverflowError(LivetapeError):
    """A subscriber with the DISCONNECT policy fell behind. Terminal for it alone."""

    def __init__(self, *, name: str, capacity: int) -> None:
        self.name = name
        self.capacity = capacity
        super().__init__(f"{name} fell more than {capacity} events behind")


class FeedError(LivetapeError):
    """A feed failed. The supervisor restarts it unless `terminal` is true."""

    def __init__(self, *, feed: str, problem: str, terminal: bool = False) -> None:
        self.feed = feed
        self.problem = problem
        self.terminal = terminal
        super().__init__(f"feed {feed}: {problem}")


class StaticDataError(LivetapeError):
    """What an exchange stores about itself is missing or wrong. Terminal: the start ends."""

    def __init__(self, *, key: str, found: str, expected: str) -> None:
        self.key = key
        self.found = found
        self.expected = expected
        super().__init__(f"{key}: found {found}; expected {expected}")


class ParseError(LivetapeError):
    """A venue's message is malformed. It is left out and counted; the feed goes on.

    `cause` is one of a few fixed texts, to count by.
    """

    def __init__(self, *, venue: str, problem: str, cause: str = "bad data") -> None:
        self.venue = venue
        self.problem = problem
        self.cause = cause
        super().__init__(f"{venue}: {problem}")


class ExchangeError(LivetapeError):
    """The demonstration exchange cannot do its work. Terminal: the program ends."""

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)


class StorageError(LivetapeError):
    """The database cannot do its work: unreachable, read-only, or made by a newer version."""

    def __init__(self, *, database: str, problem: str) -> None:
        self.database = database
        self.problem = problem
        super().__init__(f"database {database}: {problem}")


class KeyNameError(LivetapeError):
    """A key's name is taken, unknown, or not a name. Nothing was changed."""

    def __init__(self, *, name: str, problem: str) -> None:
        self.name = name
        self.problem = problem
        super().__init__(f"key {name!r} {problem}")


class ScopeError(LivetapeError):
    """A request needs a scope that who sent it lacks. Nothing was changed; the connection stays."""

    def __init__(self, *, scope: str) -> None:
        self.scope = scope
        super().__init__(f"this needs an API key with the scope {scope!r}")


class PageEventError(LivetapeError):
    """A page's event is not let in: it is unknown or too long. It is counted; the page goes on."""

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)


class CommandError(LivetapeError):
    """What a client asked for cannot be done. Nothing was changed."""

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)


class StrategyError(LivetapeError):
    """A strategy's code is not one that can run; `line` is where, if that is known."""

    def __init__(self, *, problem: str, line: int | None = None) -> None:
        self.problem = problem
        self.line = line
        super().__init__(problem)


class TradingError(LivetapeError):
    """What was asked of a runner or a strategy cannot be done. Nothing was changed.

    `code` is one of the API's; `problem` names what is allowed.
    """

    def __init__(self, *, code: str, problem: str) -> None:
        self.code = code
        self.problem = problem
        super().__init__(f"{code}: {problem}")


class WorkerLostError(LivetapeError):
    """A process that strategies run in has ended, or could not be started.

    `number` is that of the runner whose call ran meanwhile, 0 where none did.
    """

    def __init__(self, *, problem: str, number: int = 0) -> None:
        self.problem = problem
        self.number = number
        super().__init__(problem)
