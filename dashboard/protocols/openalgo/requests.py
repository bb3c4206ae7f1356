"""What a client may send: JSON objects, the verb in `action`, else in `type`.

An object is read in two steps, `parse_message` and `parse_request`, because who
is not authenticated is told so before his fields are looked at.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeGuard

import msgspec

from dashboard.core.errors import StreamError
from dashboard.core.instruments import InstrumentKey
from dashboard.protocols.openalgo.modes import Mode, parse_mode

MAX_REQUEST_BYTES = 1024 * 1024
MAX_KEYLESS_SIZE = 4096
"""Of who is not authenticated: an `authenticate` is far smaller."""
MAX_NAME = 100
MAX_SYMBOLS = 3000
"""Per request: reading more would hold up everyone else."""
DEPTHS = (5, 20, 30)
INT_LIMIT = 2**63

Message = Mapping[str, Any]
Echo = str | int | float | None
"""What a client may send to have it back as it is."""


class Code(StrEnum):
    """The codes of errors; beside them the document's kinds of error that they stand for."""

    NOT_AUTHENTICATED = "NOT_AUTHENTICATED"
    """Not authenticated; client not found."""
    AUTHENTICATION_ERROR = "AUTHENTICATION_ERROR"
    """Invalid API key."""
    INVALID_JSON = "INVALID_JSON"
    """JSON error."""
    INVALID_ACTION = "INVALID_ACTION"
    INVALID_MODE = "INVALID_MODE"
    INVALID_PARAMETERS = "INVALID_PARAMETERS"
    BROKER_ERROR = "BROKER_ERROR"
    """Adapter not available; connection failed; subscription failed."""
    SERVER_ERROR = "SERVER_ERROR"
    """I/O error, and whatever else is not the client's doing."""


class Verb(StrEnum):
    """What a client can ask for."""

    AUTHENTICATE = "authenticate"
    AUTH = "auth"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    UNSUBSCRIBE_ALL = "unsubscribe_all"
    GET_BROKER_INFO = "get_broker_info"
    GET_SUPPORTED_BROKERS = "get_supported_brokers"
    PING = "ping"

    @property
    def public(self) -> bool:
        """Tell whether it needs no authentication."""
        return self in {self.AUTHENTICATE, self.AUTH, self.GET_SUPPORTED_BROKERS, self.PING}


class Authenticate(msgspec.Struct, frozen=True):
    """A client shows its key; `document` asks for the answer as the document has it."""

    api_key: str
    document: bool = False

    def __repr__(self) -> str:
        return "Authenticate(api_key=***)"


class Subscribe(msgspec.Struct, frozen=True):
    """A client wants some instruments in one mode; `depth` is levels per side."""

    keys: tuple[InstrumentKey, ...]
    mode: Mode
    depth: int
    request_id: Echo = None


class Unsubscribe(msgspec.Struct, frozen=True):
    """A client ends subscriptions; of an instrument with mode None, those in every mode."""

    targets: tuple[tuple[InstrumentKey, Mode | None], ...]
    request_id: Echo = None


class UnsubscribeAll(msgspec.Struct, frozen=True):
    """A client ends all its subscriptions."""


class GetBrokerInfo(msgspec.Struct, frozen=True):
    """A client asks where its data come from."""


class GetSupportedBrokers(msgspec.Struct, frozen=True):
    """A client asks where data can come from."""


class Ping(msgspec.Struct, frozen=True):
    """A client asks for a sign of life; None where it sent nothing to echo."""

    timestamp: Echo = None
    ping_id: Echo = None


Request = (
    Authenticate
    | Subscribe
    | Unsubscribe
    | UnsubscribeAll
    | GetBrokerInfo
    | GetSupportedBrokers
    | Ping
)


def parse_message(raw: bytes | str) -> tuple[Verb, Message]:
    """Read a frame as far as its verb.

    Raises:
        StreamError: INVALID_JSON when it is no JSON object, INVALID_ACTION when
            it has no verb that we know.
    """
    try:
        message = msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise StreamError(
            code=Code.INVALID_JSON, problem="The message is not a JSON object"
        ) from error
    verb: object = message.get("action") or message.get("type")
    if not isinstance(verb, str) or verb not in list(Verb):
        allowed = ", ".join(Verb)
        raise StreamError(
            code=Code.INVALID_ACTION,
            problem=f"Unknown action {_shown(verb)}; allowed: {allowed}",
        )
    return Verb(verb), message


def parse_request(verb: Verb, message: Message) -> Request:
    """Read the fields that belong to a verb.

    Raises:
        StreamError: INVALID_PARAMETERS, INVALID_MODE, or AUTHENTICATION_ERROR
            where the key is missing.
    """
    match verb:
        case Verb.AUTHENTICATE | Verb.AUTH:
            return _authenticate(message)
        case Verb.SUBSCRIBE:
            return Subscribe(
                keys=tuple(dict.fromkeys(_key(item) for item in _items(message))),
                mode=_mode(message) or Mode.QUOTE,
                depth=_depth(message),
                request_id=_echo(message, "request_id"),
            )
        case Verb.UNSUBSCRIBE:
            top = _mode(message)
            return Unsubscribe(
                targets=tuple((_key(item), _mode(item) or top) for item in _items(message)),
                request_id=_echo(message, "request_id"),
            )
        case Verb.UNSUBSCRIBE_ALL:
            return UnsubscribeAll()
        case Verb.GET_BROKER_INFO:
            return GetBrokerInfo()
        case Verb.GET_SUPPORTED_BROKERS:
            return GetSupportedBrokers()
        case Verb.PING:
            return Ping(_echo(message, "timestamp"), _echo(message, "_pingId"))


def _authenticate(message: Message) -> Authenticate:
    api_key: object = message.get("api_key") or message.get("apikey")
    if not isinstance(api_key, str):
        raise StreamError(code=Code.AUTHENTICATION_ERROR, problem="API key is required")
    return Authenticate(api_key, document=message.get("dialect") == "document")


def _items(message: Message) -> Sequence[Message]:
    """Give the instruments that a request names, the single form as a list of one."""
    items = message.get("symbols", [message])
    try:
        found = msgspec.convert(items, list[dict[str, Any]])
    except msgspec.ValidationError as error:
        raise _parameters("symbols must be a list of objects with symbol and exchange") from error
    if not 0 < len(found) <= MAX_SYMBOLS:
        raise _parameters(f"symbols must have 1 to {MAX_SYMBOLS} items")
    return found


def _key(item: Message) -> InstrumentKey:
    symbol, exchange = item.get("symbol"), item.get("exchange")
    if _is_name(symbol) and _is_name(exchange):
        return exchange, symbol
    raise _parameters(f"symbol and exchange must be texts of 1 to {MAX_NAME} characters")


def _is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME


def _mode(item: Message) -> Mode | None:
    """Give the mode; None where there is no such field."""
    if "mode" not in item:
        return None
    mode = parse_mode(item["mode"])
    if mode is None:
        problem = f"Invalid mode {_shown(item['mode'])}; allowed: 1, 2, 3, LTP, Quote, Depth"
        raise StreamError(code=Code.INVALID_MODE, problem=problem)
    return mode


def _depth(message: Message) -> int:
    depth = message.get("depth", DEPTHS[0])
    if isinstance(depth, bool) or not isinstance(depth, int) or depth not in DEPTHS:
        raise _parameters(f"Invalid depth {_shown(depth)}; allowed: 5, 20, 30")
    return depth


def _echo(message: Message, field: str) -> Echo:
    value = message.get(field)
    if isinstance(value, int) and not -INT_LIMIT <= value < INT_LIMIT:
        raise _parameters(f"{field} is too large")
    if value is None or isinstance(value, str | int | float):
        return value
    raise _parameters(f"{field} must be a text or a number")


def _parameters(problem: str) -> StreamError:
    return StreamError(code=Code.INVALID_PARAMETERS, problem=problem)


def _shown(value: object) -> str:
    """Quote what a client sent, a containing value by its type alone."""
    return repr(value)[:60] if isinstance(value, str | int | float | None) else type(value).__name__
