import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

from dashboard.fanout.wire import bare, deflated, framed, inflate

PAYLOADS = st.text(max_size=70_000).map(str.encode)


@given(PAYLOADS)
def test_a_frame_is_as_the_websockets_package_writes_it(payload: bytes) -> None:
    assert framed(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)
    assert bare(payload) == payload


@given(st.lists(PAYLOADS, max_size=3))
def test_each_compressed_message_stands_for_itself(payloads: list[bytes]) -> None:
    client = PerMessageDeflate(True, True, 15, 15)
    for payload in payloads:
        frame = deflated(payload)
        assert frame[0] == 0xC1
        size = {126: 2, 127: 8}.get(frame[1], 0)
        packed = Frame(Opcode.TEXT, frame[2 + size :], rsv1=True)
        assert client.decode(packed).data == payload


@given(PAYLOADS)
def test_what_a_client_compressed_is_unpacked(payload: bytes) -> None:
    packed = PerMessageDeflate(True, True, 15, 15).encode(Frame(Opcode.TEXT, payload)).data
    assert inflate(bytes(packed), limit=len(payload)) == payload


def test_a_bomb_is_cut_and_damage_is_told() -> None:
    bomb = zlib.compress(b"x" * 50_000_000, 9)[2:-4]
    assert len(inflate(bomb, limit=1000)) == 1001
    with pytest.raises(ValueError, match="deflate"):
        inflate(b"\xff\xff\xff", limit=1000)
