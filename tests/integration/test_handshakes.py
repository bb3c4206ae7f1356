"""Handshakes as browsers and programs really send them, on every door of the product."""

import asyncio

import pytest

from tests.integration.raw_client import TIMEOUT_S
from tests.integration.stream import streaming
from tests.live_server import LiveServer

KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""What answers that key: RFC 6455, section 1.3."""
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"

CLIENTS = {
    "Firefox": (
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Accept: */*",
        "Accept-Language: en-US,en;q=0.5",
        "Accept-Encoding: gzip, deflate, br, zstd",
        "Sec-WebSocket-Version: 13",
        "Origin: http://HOST",
        DEFLATE,
        KEY,
        "Connection: keep-alive, Upgrade",
        "Sec-Fetch-Dest: empty",
        "Sec-Fetch-Mode: websocket",
        "Sec-Fetch-Site: same-origin",
        "Pragma: no-cache",
        "Cache-Control: no-cache",
        "Upgrade: websocket",
    ),
    "Chrome": (
        "Connection: Upgrade",
        "Pragma: no-cache",
        "Cache-Control: no-cache",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0",
        "Upgrade: websocket",
        "Origin: http://HOST",
        "Sec-WebSocket-Version: 13",
        "Accept-Encoding: gzip, deflate, br, zstd",
        "Accept-Language: en-US,en;q=0.9",
        KEY,
        f"{DEFLATE}; client_max_window_bits",
    ),
    "Safari": (
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Origin: http://HOST",
        "Sec-Fetch-Site: same-origin",
        "Sec-Fetch-Mode: websocket",
        "Sec-Fetch-Dest: websocket",
        "Pragma: no-cache",
        "Cache-Control: no-cache",
        "Accept-Language: en-GB,en;q=0.9",
        "Accept-Encoding: gzip, deflate",
        KEY,
        DEFLATE,
        "Sec-WebSocket-Version: 13",
    ),
    "curl": (
        "User-Agent: curl/8.14.1",
        "Accept: */*",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        KEY,
        "Connection: Upgrade",
    ),
    "Node ws": (
        "Sec-WebSocket-Version: 13",
        KEY,
        "Connection: Upgrade",
        "Upgrade: websocket",
        f"{DEFLATE}; client_max_window_bits",
    ),
    "Node undici": (
        "connection: upgrade",
        "upgrade: websocket",
        KEY.replace("Sec-WebSocket-Key", "sec-websocket-key"),
        "sec-websocket-version: 13",
        "sec-websocket-extensions: permessage-deflate; client_max_window_bits",
        "accept: */*",
        "accept-language: *",
        "sec-fetch-mode: websocket",
        "user-agent: node",
        "pragma: no-cache",
        "cache-control: no-cache",
        "accept-encoding: gzip, deflate",
    ),
    "Java": (
        "Connection: Upgrade",
        "Content-Length: 0",
        "Upgrade: websocket",
        "User-Agent: Java-http-client/21.0.8",
        KEY,
        "Sec-WebSocket-Version: 13",
    ),
    "Java with HTTP/2": (
        "Connection: Upgrade, HTTP2-Settings",
        "HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA",
        "Upgrade: websocket, h2c",
        KEY,
        "Sec-WebSocket-Version: 13",
    ),
    "Go": (
        "User-Agent: Go-http-client/1.1",
        "Connection: Upgrade",
        KEY,
        "Sec-WebSocket-Version: 13",
        "Upgrade: websocket",
    ),
    ".NET": (
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        KEY,
    ),
    "a proxy that adds a line": (
        "Connection: close",
        "Connection: upgrade",
        "Upgrade: WebSocket",
        "Sec-WebSocket-Version: 13",
        KEY,
    ),
    "lists with blanks, tabs and nothing": (
        "Connection: ,keep-alive\t,\tUPGRADE ,",
        "Upgrade: h2c",
        "Upgrade:  foo/2 ,\tWebSocket",
        "Sec-WebSocket-Version: 13",
        KEY,
    ),
}


def request_of(name: str, port: int, path: str) -> bytes:
    host = f"127.0.0.1:{port}"
    lines = (f"GET {path} HTTP/1.1", f"Host: {host}", *CLIENTS[name])
    return "".join(f"{line}\r\n" for line in lines).replace("HOST", host).encode() + b"\r\n"


async def answer(port: int, sent: bytes) -> bytes:
    """Give the head of the answer to a handshake."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        async with asyncio.timeout(TIMEOUT_S):
            return await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()


def is_open(head: bytes) -> bool:
    return head.startswith(b"HTTP/1.1 101 ") and ACCEPT in head


@pytest.mark.parametrize("path", ["/", "/ws"])
async def test_every_client_opens_a_websocket_on_the_stream_port(path: str) -> None:
    async with streaming() as stream:
        port = stream.server.port
        heads = {name: await answer(port, request_of(name, port, path)) for name in CLIENTS}
        assert [name for name, head in heads.items() if not is_open(head)] == []


@pytest.mark.parametrize("path", ["/ws", "/ws/openalgo"])
async def test_every_client_opens_a_websocket_on_the_pages_port(
    server: LiveServer, path: str
) -> None:
    heads = {
        name: await answer(server.port, request_of(name, server.port, path)) for name in CLIENTS
    }
    assert [name for name, head in heads.items() if not is_open(head)] == []


NOT_ONE = {
    "Connection lists something else": ("keep-alive, Upgrade", "keep-alive, Upgraded"),
    "no Connection": ("Connection: keep-alive, Upgrade", "Connect: keep-alive, Upgrade"),
    "another protocol": ("Upgrade: websocket", "Upgrade: h2c, websocket2"),
    "no Upgrade": ("Upgrade: websocket", "Accept-Charset: utf-8"),
}


async def test_what_asks_for_no_websocket_is_answered_with_400() -> None:
    async with streaming() as stream:
        port = stream.server.port
        valid = request_of("Firefox", port, "/").decode()
        for name, change in NOT_ONE.items():
            head = await answer(port, valid.replace(*change).encode())
            assert head.startswith(b"HTTP/1.1 400 "), name
