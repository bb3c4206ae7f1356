"""Which network addresses count as one client's. Pure."""

from ipaddress import IPv6Address, ip_address

MAX_NAME = 100


def network_of(address: str) -> str:
    """Give what an address counts as: an IPv6 one as its /64, which one machine has at will.

    What is no address, such as an empty one, stands for itself.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:MAX_NAME]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
