"""The stream server's port under bytes that no client should send, while a healthy one goes on."""

import asyncio
import json
import resource
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.streaming.connection import Timeouts
from tests.integration.raw_client import (
    BINARY,
    CLOSE,
    CONTINUATION,
    MASK,
    PING,
    PONG,
    TEXT,
    TIMEOUT_S,
    Frame,
    RawClient,
    frame,
    handshake,
    raw_client,
)
from tests.integration.stream import BTC, KEY, PATIENT, Stream, ask, client, streaming, undisturbed

MIB = 1024 * 1024
HASTY = Timeouts(authenticate_s=1, drain_s=1, ping_interval_s=1, ping_timeout_s=1)
AUTHENTICATE = frame(json.dumps({"action": "authenticate", "api_key": KEY}).encode())
SUBSCRIBE = frame(json.dumps({"action": "subscribe", "mode": 2, **BTC}).encode())
PING_REQUEST = frame(b'{"action":"ping"}')
VALID = AUTHENTICATE + SUBSCRIBE
End = Callable[[RawClient], None]


@asynccontextmanager
async def attacked(
    *, timeouts: Timeouts | None = None, limit: int = 1000
) -> AsyncGenerator[Stream]:
    """Give a stream server with a healthy client; in the end nobody else holds a place."""
    async with (
        streaming(timeouts=timeouts, limit=limit) as stream,
        undisturbed(stream.url),
    ):
        yield stream
        async with asyncio.timeout(TIMEOUT_S):
            while stream.places.open > 1:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)
        assert stream.places.open == 1


async def opened(port: int, sent: bytes, *, upgrade: bool) -> RawClient:
    made = await RawClient.connect(port)
    if upgrade:
        await made.upgrade(port)
    await made.send(sent)
    return made


def prefixes(whole: bytes) -> Sequence[bytes]:
    return [whole[:end] for end in range(len(whole))]


@pytest.mark.parametrize("end", [RawClient.close, RawClient.reset], ids=["close", "reset"])
async def test_who_leaves_after_any_byte_leaves_nothing_behind(end: End) -> None:
    async with attacked() as stream:
        port = stream.server.port
        for sent in prefixes(handshake(port)):
            end(await opened(port, sent, upgrade=False))
        for sent in (*prefixes(VALID), VALID):
            end(await opened(port, sent, upgrade=True))


async def test_who_falls_silent_before_the_handshake_ends_is_cut_and_holds_no_place() -> None:
    async with attacked(timeouts=Timeouts(handshake_s=2)) as stream:
        port = stream.server.port
        silent = [await opened(port, sent, upgrade=False) for sent in prefixes(handshake(port))]
        await asyncio.gather(*(each.hung_up() for each in silent))
        assert stream.places.open == 1
        for each in silent:
            each.close()


async def test_who_falls_silent_after_the_handshake_keeps_no_place() -> None:
    async with attacked(timeouts=HASTY) as stream:
        port = stream.server.port
        silent = [await opened(port, sent, upgrade=True) for sent in (*prefixes(VALID), VALID)]
        assert stream.places.open > 1
        ends = await asyncio.gather(*(each.rest() for each in silent))
        codes = {close_code(frames) for frames in ends}
        assert codes <= {4401, 1001}  # not authenticated; no answer to a ping
        for each in silent:
            each.close()


async def test_who_reads_nothing_and_answers_no_ping_keeps_no_place() -> None:
    async with attacked(timeouts=HASTY) as stream:
        vanished = await opened(stream.server.port, VALID, upgrade=True)
        async with asyncio.timeout(TIMEOUT_S):
            while stream.places.open > 1:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)
        vanished.close()


BROKEN_HANDSHAKES = {
    "another method": (b"GET", b"POST"),
    "an old HTTP": (b"HTTP/1.1", b"HTTP/1.0"),
    "no key": (b"Sec-WebSocket-Key", b"Sec-WebSocket-Kex"),
    "a wrong key": (b"dGhlIHNhbXBsZSBub25jZQ==", b"short"),
    "no upgrade": (b"Upgrade: websocket\r\n", b""),
    "two hosts": (b"Upgrade:", b"Host: evil.example\r\nUpgrade:"),
    "no host": (b"Host:", b"Hast:"),
    "a header without a colon": (b"Upgrade: ", b"Upgrade "),
    "a zero byte": (b"websocket", b"web\0socket"),
    "nothing": (b"GET / HTTP/1.1", b""),
    "a TLS hello": (b"GET /", b"\x16\x03\x01\x02\x00\x01\x00"),
}


async def test_a_broken_handshake_is_answered_with_a_status() -> None:
    async with attacked() as stream:
        valid = handshake(stream.server.port)
        for name, change in BROKEN_HANDSHAKES.items():
            answer = await answered(stream.server.port, valid.replace(*change))
            assert answer.startswith(b"HTTP/1.1 4"), name


async def test_a_handshake_without_end_is_cut_while_it_is_sent() -> None:
    async with attacked() as stream:
        port = stream.server.port
        endless = handshake(port)[:-2] + b"X: " + b"y" * MIB
        assert not (await answered(port, endless)).startswith(b"HTTP/1.1 101")


async def answered(port: int, sent: bytes) -> bytes:
    """Give all that the server says before it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        async with asyncio.timeout(TIMEOUT_S):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


ILLEGAL = {
    "not masked": (frame(b"{}", masked=False), 1002),
    "not masked, many": (frame(b"{}", masked=False) * 100, 1002),
    "opcode 3": (frame(b"{}", 3), 1002),
    "opcode 15": (frame(b"{}", 15), 1002),
    "a ping in pieces": (frame(b"", PING, fin=False), 1002),
    "a close in pieces": (frame(b"\x03\xe8", CLOSE, fin=False), 1002),
    "a large ping": (frame(b"x" * 126, PING), 1002),
    "a piece of nothing": (frame(b"x", CONTINUATION), 1002),
    "a message within another": (frame(b"{", fin=False) + frame(b"{}"), 1002),
    "a length with its highest bit": (frame(b"", length=1 << 63), 1002),
    "a length in too many bytes": (b"\x81\xfe\x00\x02" + MASK + b"{}", 1002),
    "a length beyond memory": (frame(b"", length=1 << 62), 1009),
    "one byte too many": (frame(b"", length=MIB + 1), 1009),
    "pieces of too much": (
        frame(b"x" * MIB, fin=False) + frame(b"x", CONTINUATION),
        1009,
    ),
    "a close with half a code": (frame(b"\x03", CLOSE), 1002),
    **{
        f"a close with code {code}, which nobody may send": (frame(code.to_bytes(2), CLOSE), 1002)
        for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)
    },
    **{
        f"a reserved bit of a {name}": (frame(payload, opcode, reserved=bit), 1002)
        for name, opcode, payload in (
            ("ping", PING, b"x"),
            ("pong", PONG, b""),
            ("close", CLOSE, b"\x03\xe8"),
        )
        for bit in (1, 2, 4)
    },
    "a text that is not UTF-8": (frame(b"\xff\xfe"), 1007),
    "a text with half a letter": (frame(b'{"action":"ping","_pingId":"\xc3("}'), 1007),
    "a text with a surrogate": (frame(b'{"action":"\xed\xa0\x80"}'), 1007),
    "pieces of a text that is not UTF-8": (
        frame(b"{\xe2\x82", fin=False) + frame(b"}", CONTINUATION),
        1007,
    ),
    "a close with a reason that is no text": (frame(b"\x03\xe8\xff", CLOSE), 1007),
}


async def test_a_broken_frame_ends_its_own_connection_alone() -> None:
    async with attacked() as stream:

        async def code_after(sent: bytes) -> int | None:
            async with raw_client(stream.server.port) as hostile:
                await hostile.send(AUTHENTICATE + SUBSCRIBE + sent)
                return close_code(await hostile.rest())

        codes = await asyncio.gather(*(code_after(sent) for sent, _ in ILLEGAL.values()))
        expected = {name: code for name, (_, code) in ILLEGAL.items()}
        assert dict(zip(ILLEGAL, codes, strict=True)) == expected


def close_code(frames: Sequence[Frame]) -> int | None:
    """Give the code with which the server closed, or None when it only hung up."""
    return next((each.close_code for each in frames if each.opcode == CLOSE), None)


REFUSED = {
    "half a surrogate pair": b'{"action":"authenticate","api_key":"\\ud800"}',
    "a zero byte": b'{"action":"ping"}\0',
    "deep lists": b"[" * MIB,
    "deep lists that end": b"[" * (MIB // 2) + b"]" * (MIB // 2),
    "deep objects": b'{"a":' * (MIB // 5),
    "a number of a million digits": b'{"action":"ping","timestamp":' + b"9" * (MIB - 50) + b"}",
    "a number beyond floats": b'{"action":"ping","timestamp":1e999}',
    "a depth beyond integers": b'{"action":"subscribe","depth":' + b"9" * 400 + b"}",
    "a mode that is a list": b'{"action":"subscribe","symbol":"A","exchange":"B","mode":[[]]}',
    "symbols that are no objects": b'{"action":"subscribe","symbols":[null,1,"x",[]]}',
    "too many symbols": b'{"action":"subscribe","symbols":['
    + b",".join([b'{"symbol":"X","exchange":"Y"}'] * 34_000)
    + b"]}",
    "a verb of a mebibyte": b'{"action":"' + b"x" * (MIB - 50) + b'"}',
}


async def test_a_request_of_no_sense_is_an_error_and_the_connection_stays() -> None:
    async with attacked() as stream, raw_client(stream.server.port) as hostile:
        await hostile.send(AUTHENTICATE)
        assert (await reply(hostile))["status"] == "success"
        for name, request in REFUSED.items():
            await hostile.send(frame(request) + PING_REQUEST)
            error, pong = await reply(hostile), await reply(hostile)
            assert error["status"] == "error", name
            assert len(json.dumps(error)) < 1000, name
            assert pong["type"] == "pong", name


async def test_bytes_that_are_no_text_are_an_error_and_the_connection_stays() -> None:
    async with attacked() as stream, raw_client(stream.server.port) as hostile:
        await hostile.send(frame(b"\xff\xfe", BINARY) + PING_REQUEST)
        assert (await reply(hostile))["code"] == "INVALID_JSON"
        assert (await reply(hostile))["type"] == "pong"


async def test_a_letter_in_two_pieces_is_text() -> None:
    async with attacked() as stream, raw_client(stream.server.port) as hostile:
        request = json.dumps({"action": "ping", "_pingId": "€"}, ensure_ascii=False).encode()
        cut = request.index("€".encode()) + 1
        await hostile.send(frame(request[:cut], fin=False) + frame(request[cut:], CONTINUATION))
        assert (await reply(hostile))["_pingId"] == "€"


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4401, 4999])
async def test_a_close_is_answered_with_its_own_code(code: int) -> None:
    async with streaming() as stream, raw_client(stream.server.port) as leaving:
        await leaving.send(frame(code.to_bytes(2), CLOSE))
        (answer,) = await leaving.rest()
        assert answer.close_code == code


async def reply(hostile: RawClient) -> dict[str, object]:
    received = await hostile.receive()
    assert received is not None
    assert received.opcode == TEXT
    return json.loads(received.payload)


FLOODS = {
    "requests": PING_REQUEST * 20_000,
    "pings": frame(b"x" * 125, PING) * 20_000,
    "pieces": frame(b"", fin=False) + frame(b"", CONTINUATION, fin=False) * 100_000,
    "wrong keys": frame(b'{"action":"authenticate","api_key":"x"}') * 5_000,
}


async def test_a_flood_disturbs_nobody() -> None:
    async with attacked() as stream:
        for sent in FLOODS.values():
            async with raw_client(stream.server.port) as hostile, asyncio.TaskGroup() as group:
                reading = group.create_task(hostile.rest())
                await hostile.send(sent + frame(b"\x03\xe8", CLOSE))
            assert {each.opcode for each in reading.result()} <= {TEXT, PONG, CLOSE}


pieces = st.builds(
    frame,
    st.one_of(st.binary(max_size=200), st.just(b'{"action":"ping"}')),
    st.integers(0, 15),
    fin=st.booleans(),
    reserved=st.integers(0, 7),
    masked=st.booleans(),
    length=st.one_of(st.none(), st.integers(0, 300), st.integers(0, (1 << 64) - 1)),
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Make frames that were valid before some of their bytes were changed, lost or doubled."""
    sent = bytearray(VALID + PING_REQUEST + frame(b"x", PING) + frame(b"{", fin=False))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(sent) - 1))
        match draw(st.sampled_from(["change", "lose", "double"])):
            case "change":
                sent[at] = draw(st.integers(0, 255))
            case "lose":
                del sent[at : at + draw(st.integers(1, 8))]
            case _:
                sent[at:at] = sent[at : at + draw(st.integers(1, 40))]
    return bytes(sent)


async def test_mutations_of_valid_frames_get_valid_frames_or_an_end() -> None:
    async with attacked(timeouts=Timeouts(authenticate_s=5)) as stream:
        loop = asyncio.get_running_loop()

        async def attack(sent: bytes) -> None:
            async with raw_client(stream.server.port) as hostile:
                await hostile.send(sent)
                hostile.send_eof()
                check(await hostile.rest())

        @settings(
            max_examples=300,
            deadline=None,
            database=None,
        )
        @given(st.one_of(mutated(), st.lists(pieces, max_size=6).map(b"".join)))
        def attack_with(sent: bytes) -> None:
            asyncio.run_coroutine_threadsafe(attack(sent), loop).result(TIMEOUT_S * 2)

        await asyncio.to_thread(attack_with)


def check(frames: Sequence[Frame]) -> None:
    for each in frames:
        if each.opcode == TEXT:
            assert isinstance(json.loads(each.payload), dict)
        assert each.opcode in {TEXT, PING, PONG, CLOSE}


@pytest.fixture
def many_files() -> Iterator[None]:
    """Allow this process as many files as the burst below needs on both of its sides."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < BURST_FILES:
        pytest.skip(f"the burst needs {BURST_FILES} open files, and {hard} are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, BURST_FILES), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


BURST = 2000
BURST_FILES = 2 * BURST + 500


@pytest.mark.usefixtures("many_files")
async def test_of_two_thousand_at_once_without_a_key_the_last_ones_have_a_place() -> None:
    async with attacked(limit=1000, timeouts=PATIENT) as stream:
        port = stream.server.port
        clients: list[RawClient] = []

        async def attempt() -> int | None:
            """Give the code of the refusal, None where an answer came."""
            made = await RawClient.connect(port)
            clients.append(made)
            await made.upgrade(port)
            await made.send(PING_REQUEST)
            received = await made.receive()
            assert received is not None
            assert received.opcode in {TEXT, CLOSE}
            return received.close_code

        outcomes = await asyncio.gather(*(attempt() for _ in range(BURST)))
        assert set(outcomes) <= {None, 1013}
        assert outcomes.count(None) >= 999  # the healthy client has a place, too
        assert stream.places.refused == BURST - 999
        assert stream.places.open == 1000
        for each in clients:
            each.close()
        async with asyncio.timeout(TIMEOUT_S):
            while stream.places.open > 1:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)
        async with client(stream) as late:
            assert (await ask(late, {"action": "ping"}))["type"] == "pong"


async def test_a_close_without_a_code_is_answered_without_one() -> None:
    async with attacked() as stream, raw_client(stream.server.port) as hostile:
        await hostile.send(frame(b"", CLOSE))
        (answer,) = await hostile.rest()
        assert answer.close_code in {None, 1000}  # 0 is no code that may be sent


async def test_another_version_of_the_protocol_is_refused() -> None:
    async with attacked() as stream:
        port = stream.server.port
        sent = handshake(port).replace(b"Version: 13", b"Version: 8")
        assert (await answered(port, sent)).startswith(b"HTTP/1.1 426")


@pytest.mark.parametrize("reserved", [1, 2, 4])
async def test_a_reserved_bit_that_nobody_agreed_on_is_closed_with_1002(reserved: int) -> None:
    async with attacked() as stream, raw_client(stream.server.port) as hostile:
        await hostile.send(frame(b'{"action":"ping"}', reserved=reserved))
        received = await hostile.receive()
        assert received is not None
        assert received.close_code == 1002


async def test_nothing_follows_a_close_frame() -> None:
    async with attacked() as stream, raw_client(stream.server.port) as hostile:
        await hostile.send(AUTHENTICATE + SUBSCRIBE + frame(b"{}", masked=False))
        opcodes = [each.opcode for each in await hostile.rest()]
        assert opcodes[-1] == CLOSE
