"""How a payload leaves: as what kind of WebSocket frame, made once for all clients of that kind.

Frames of a server are not masked, so the same bytes serve every client.
"""

import zlib
from collections.abc import Callable
from functools import lru_cache

Wire = Callable[[bytes], bytes]
"""Turns a payload, UTF-8 text, into what is written; cohorts are told apart by it."""

TEXT = 0x81
COMPRESSED_TEXT = 0xC1
EMPTY_BLOCK = b"\x00\x00\xff\xff"
"""How a flushed deflate stream ends; RFC 7692 leaves it out."""
LEVEL = 1


def bare(payload: bytes) -> bytes:
    """Leave it as it is, for those whose server makes the frames."""
    return payload


def framed(payload: bytes) -> bytes:
    """Make one text frame."""
    return _header(TEXT, len(payload)) + payload


def deflated(payload: bytes) -> bytes:
    """Make one text frame by permessage-deflate, without context takeover."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)
    packed = packed.removesuffix(EMPTY_BLOCK)
    return _header(COMPRESSED_TEXT, len(packed)) + packed


def inflate(packed: bytes, *, limit: int) -> bytes:
    """Unpack a message of a client that compresses without context takeover.

    Gives at most `limit` + 1 bytes, so that a small message cannot fill the memory.

    Raises:
        ValueError: when it is no deflate stream.
    """
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed + EMPTY_BLOCK, limit + 1)
    except zlib.error as error:
        raise ValueError("not a deflate stream") from error


@lru_cache(maxsize=4096)
def _header(first: int, length: int) -> bytes:
    if length < 126:
        return bytes((first, length))
    if length < 1 << 16:
        return bytes((first, 126)) + length.to_bytes(2)
    return bytes((first, 127)) + length.to_bytes(8)
