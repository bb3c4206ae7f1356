"""The answers, as the clients of the protocol read them: JSON objects, one per frame."""

from collections.abc import Sequence
from typing import Any

import msgspec

from dashboard.core.errors import StreamError
from dashboard.core.instruments import InstrumentKey
from dashboard.protocols.openalgo.modes import Mode
from dashboard.protocols.openalgo.requests import Code, Echo

Item = dict[str, Any]

_encoder = msgspec.json.Encoder()


def encode_error(error: StreamError) -> bytes:
    """Answer a request that could not be met; it has no `type`."""
    return _encode(status="error", code=error.code, message=error.problem)


def encode_authenticated(*, broker: str, user: str, document: bool) -> bytes:
    """Let a client in."""
    message = "Authentication successful"
    if document:
        return _encode(type="auth_response", status="success", message=message)
    return _encode(
        type="auth",
        status="success",
        message=message,
        broker=broker,
        user_id=user,
        supported_features={"ltp": True, "quote": True, "depth": True},
    )


def encode_refused(*, document: bool) -> bytes:
    """Refuse a key; the client may try another."""
    problem = "Invalid API key"
    if document:
        return _encode(type="auth_response", status="error", message=problem)
    return encode_error(StreamError(code=Code.AUTHENTICATION_ERROR, problem=problem))


def subscribed(key: InstrumentKey, mode: Mode, depth: int, broker: str) -> Item:
    """Describe a subscription that holds now."""
    return _item(key) | {
        "status": "success",
        "mode": mode.label,
        "depth": depth,
        "broker": broker,
    }


def not_subscribed(key: InstrumentKey, problem: str, broker: str) -> Item:
    """Describe one that was refused."""
    return _item(key) | {"status": "error", "message": problem, "broker": broker}


def encode_subscribed(items: Sequence[Item], *, broker: str, request_id: Echo) -> bytes:
    """Answer a subscribe; one item per instrument. It is partial where any was refused."""
    partial = any(item["status"] == "error" for item in items)
    return _encode(
        type="subscribe",
        status="partial" if partial else "success",
        subscriptions=items,
        message="Subscription processing complete",
        broker=broker,
        **_echoed(request_id),
    )


def unsubscribed(key: InstrumentKey, mode: Mode, broker: str) -> Item:
    """Describe a subscription that has ended."""
    return _item(key) | {"status": "success", "mode": mode.label, "broker": broker}


def not_unsubscribed(key: InstrumentKey, broker: str) -> Item:
    """Describe one that could not be ended because it is not held."""
    return _item(key) | {"status": "error", "message": "Not subscribed", "broker": broker}


def encode_unsubscribed(
    successful: Sequence[Item], failed: Sequence[Item], *, broker: str, request_id: Echo = None
) -> bytes:
    """Answer an unsubscribe: success, partial, or error where nothing could be ended."""
    incomplete = "partial" if successful else "error"
    return _encode(
        type="unsubscribe",
        status=incomplete if failed else "success",
        message="Unsubscription processing complete",
        successful=successful,
        failed=failed,
        broker=broker,
        **_echoed(request_id),
    )


def encode_broker_info(*, broker: str, status: str, user: str) -> bytes:
    """Tell where the data come from, and how that stands."""
    return _encode(
        type="broker_info", status="success", broker=broker, adapter_status=status, user_id=user
    )


def encode_supported_brokers(brokers: Sequence[str]) -> bytes:
    """Tell where data can come from."""
    return _encode(type="supported_brokers", status="success", brokers=brokers, count=len(brokers))


def encode_pong(*, now_ms: int, timestamp: Echo, ping_id: Echo) -> bytes:
    """Answer a ping with what it brought."""
    sent = {"client_timestamp": timestamp, "_pingId": ping_id}
    echoed = {name: value for name, value in sent.items() if value is not None}
    return _encode(type="pong", status="success", server_timestamp=now_ms, **echoed)


def _item(key: InstrumentKey) -> Item:
    exchange, symbol = key
    return {"symbol": symbol, "exchange": exchange}


def _echoed(request_id: Echo) -> Item:
    return {} if request_id is None else {"request_id": request_id}


def _encode(**fields: object) -> bytes:
    return _encoder.encode(fields)
