"""Whether the other side of a connection is still there, though it reads nothing."""

import socket
import struct
import sys

DEAD_S = 300.0
"""A living system acknowledges what asks for its window, which is at most two minutes apart."""
LAST_ACK_RECEIVED = struct.Struct("=56xI")
"""Of Linux's `tcp_info` (`include/uapi/linux/tcp.h`): `tcpi_last_ack_recv`, ms ago."""


def silent_s(connection: socket.socket) -> float:
    """Tell for how long a peer has acknowledged nothing, in seconds; 0 where that is not told.

    TCP_USER_TIMEOUT would not do: Linux ends by it also those who live and do not read.
    """
    if sys.platform != "linux":
        return 0.0
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LAST_ACK_RECEIVED.size)
    return LAST_ACK_RECEIVED.unpack(info)[0] / 1000
