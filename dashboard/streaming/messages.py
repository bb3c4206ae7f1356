"""The messages that a client of the stream server sends, put together from its frames."""

from typing import NamedTuple

from picows import WSFrame, WSMsgType

from dashboard.fanout.wire import inflate
from dashboard.streaming.streams import Refusal

PROTOCOL_ERROR, INVALID_DATA, TOO_BIG = 1002, 1007, 1009
TEXT, CONTINUATION = WSMsgType.TEXT, WSMsgType.CONTINUATION
NO_CODE = 1000
"""What a close without a code is answered with."""
REFUSED_BIT = Refusal(PROTOCOL_ERROR, "a reserved bit was not agreed on")


class Message(NamedTuple):
    """A whole message as it came: packed where compression was agreed on."""

    data: bytes
    is_text: bool
    is_packed: bool

    def read(self, *, limit: int) -> bytes | Refusal:
        """Unpack it, and see that text is text; or say why the client may not stay."""
        data = self.data
        if self.is_packed:
            try:
                data = inflate(data, limit=limit)
            except ValueError as error:
                return Refusal(INVALID_DATA, str(error))
        if len(data) > limit:
            return refused_size(limit)
        if self.is_text and not data.isascii():
            try:
                data.decode()
            except UnicodeDecodeError:
                return Refusal(INVALID_DATA, "a text is not UTF-8")
        return data


class Messages:
    """Put fragments together; `limit` is the size of a message, in bytes as they come."""

    def __init__(self, *, deflate: bool, limit: int) -> None:
        self._deflate = deflate
        self._limit = limit
        self._is_text = False
        self._is_packed = False
        self._fragments: bytearray | None = None

    def take(self, kind: WSMsgType, frame: WSFrame) -> Message | Refusal | None:
        """Take a data frame; give a message that it completes, or why the client may not stay.

        `kind` is the frame's `msg_type`, which costs as much to ask for as all else here.
        """
        begins = kind is not CONTINUATION
        if begins != (self._fragments is None):
            return Refusal(PROTOCOL_ERROR, "fragments are out of order")
        is_packed = frame.rsv1
        if frame.rsv2 or frame.rsv3 or (is_packed and not (begins and self._deflate)):
            return REFUSED_BIT
        if begins:
            self._is_text = kind is TEXT
            self._is_packed = is_packed
            if frame.fin:
                return self._whole(frame.get_payload_as_bytes())
        fragments = self._fragments = bytearray() if self._fragments is None else self._fragments
        fragments += frame.get_payload_as_memoryview()
        if len(fragments) > self._limit:
            return refused_size(self._limit)
        if not frame.fin:
            return None
        self._fragments = None
        return self._whole(bytes(fragments))

    def _whole(self, data: bytes) -> Message | Refusal:
        if len(data) > self._limit:
            return refused_size(self._limit)
        return Message(data, self._is_text, self._is_packed)


def has_reserved_bit(frame: WSFrame) -> bool:
    """Tell whether a control frame has a bit that nothing could agree on."""
    return frame.rsv1 or frame.rsv2 or frame.rsv3


def answer_to_close(frame: WSFrame) -> int:
    """Give the code to answer a close frame with: its own, unless nobody may send that."""
    if has_reserved_bit(frame):
        return PROTOCOL_ERROR
    if not frame.payload_size:
        return NO_CODE
    code = int.from_bytes(frame.get_payload_as_memoryview()[:2])
    registered = 1000 <= code <= 1014 and code not in {1004, 1005, 1006}
    return code if registered or 3000 <= code <= 4999 else PROTOCOL_ERROR


def refused_size(limit: int) -> Refusal:
    """Say that a message is too large."""
    return Refusal(TOO_BIG, f"a message may have {limit} bytes at most")
