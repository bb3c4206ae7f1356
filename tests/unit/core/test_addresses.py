import pytest

from dashboard.core.addresses import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:DB8:1:2::9", "2001:db8:1:2::"),
        ("2001:db8:1:3::9", "2001:db8:1:3::"),
        ("", ""),
        ("unix:", "unix:"),
        ("x" * 1000, "x" * 100),
    ],
)
def test_an_address_counts_as_what_one_machine_has_at_will(address: str, network: str) -> None:
    assert network_of(address) == network
