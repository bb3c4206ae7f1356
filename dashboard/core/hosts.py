"""Addresses and host names as clients and settings write them. Pure."""

from ipaddress import IPv4Address, IPv6Address, ip_address


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an IP address, also one in brackets or with a port; None when it is none.

    >>> parse_address("[2001:db8::7]:443"), parse_address("::ffff:10.0.0.1")
    (IPv6Address('2001:db8::7'), IPv4Address('10.0.0.1'))
    """
    try:
        parsed = ip_address(_without_port(text.strip()))
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed


def is_loopback(address: str) -> bool:
    """Tell whether an address is this machine's own, which nobody else can use."""
    parsed = parse_address(address)
    return parsed is not None and parsed.is_loopback


def is_own_host(host: str) -> bool:
    """Tell whether a host, by address or name, is this machine to whoever says it.

    >>> [is_own_host(each) for each in ("127.0.0.1", "[::1]:3000", "localhost", "example.org")]
    [True, True, True, False]
    """
    name = _without_port(host.strip()).lower()
    return name == "localhost" or name.endswith(".localhost") or is_loopback(name)


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
