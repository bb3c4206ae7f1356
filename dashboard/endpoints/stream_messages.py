"""The messages that a client of the stream server sends, put together from its frames."""

from picows import WSFrame, WSMsgType

from dashboard.endpoints.streams import Refusal
from dashboard.fanout.wire import inflate
from dashboard.protocols.openalgo.requests import MAX_REQUEST_BYTES

PROTOCOL_ERROR, INVALID_DATA, TOO_BIG = 1002, 1007, 1009
REFUSED_SIZE = Refusal(TOO_BIG, f"a message may have {MAX_REQUEST_BYTES} bytes at most")


class Messages:
    """Put fragments together, and unpack what is compressed where that was agreed on."""

    def __init__(self, *, deflate: bool) -> None:
        self._deflate = deflate
        self._packed = False
        self._fragments: bytearray | None = None

    def take(self, frame: WSFrame) -> bytes | Refusal | None:
        """Take a data frame; give a message that it completes, or why the client may not stay."""
        begins = frame.msg_type != WSMsgType.CONTINUATION
        if begins != (self._fragments is None):
            return Refusal(PROTOCOL_ERROR, "fragments are out of order")
        if frame.rsv2 or frame.rsv3 or (frame.rsv1 and not (begins and self._deflate)):
            return Refusal(PROTOCOL_ERROR, "a reserved bit was not agreed on")
        if begins:
            self._packed = frame.rsv1
        fragments = self._fragments = bytearray() if self._fragments is None else self._fragments
        fragments += frame.get_payload_as_memoryview()
        if len(fragments) > MAX_REQUEST_BYTES:
            return REFUSED_SIZE
        if not frame.fin:
            return None
        self._fragments = None
        return self._unpacked(bytes(fragments)) if self._packed else bytes(fragments)

    def _unpacked(self, packed: bytes) -> bytes | Refusal:
        try:
            message = inflate(packed, limit=MAX_REQUEST_BYTES)
        except ValueError as error:
            return Refusal(INVALID_DATA, str(error))
        return REFUSED_SIZE if len(message) > MAX_REQUEST_BYTES else message
