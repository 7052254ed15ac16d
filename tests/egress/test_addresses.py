"""Where a name may lead."""

import socket
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulbox_core.egress.addresses import Addresses
from soulbox_core.egress.gateway import Gateway
from soulbox_core.errors import SettingsError
from soulbox_core.settings import Egress

PRIVATE = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.9.9.9"),
    *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.168.1.1"),
    *("198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1"),
    *("255.255.255.255", "168.63.129.16", "192.88.99.1"),
]
PRIVATE_6 = [
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1"),
    *("2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "fd00:ec2::254", "fc00::1"),
    *("fe80::1", "fe80::1%lo", "fec0::1", "ff02::1", "100::1", "3fff::1", "5f00::1", "4000::1"),
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.1.1", "223.255.255.255"]
PUBLIC_6 = ["2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", [*PRIVATE, *PRIVATE_6])
def test_what_is_not_public_is_not_connected_to(address: str) -> None:
    assert not Addresses().permit(address, 443)


@pytest.mark.parametrize("address", [*PUBLIC, *PUBLIC_6])
def test_what_is_public_is(address: str) -> None:
    assert Addresses().permit(address, 443)


@given(st.integers(0, (1 << 32) - 1).map(IPv4Address))
def test_whatever_the_library_takes_for_private_is_not_connected_to(address: IPv4Address) -> None:
    if not address.is_global or address.is_multicast:
        mapped = IPv6Address((0xFFFF << 32) | int(address))
        for text in (str(address), str(mapped)):
            assert not Addresses().permit(text, 443)


@given(st.integers(0, (1 << 128) - 1).map(IPv6Address))
def test_nor_is_what_is_no_global_unicast_address(address: IPv6Address) -> None:
    if not address.is_global or address.is_multicast:
        assert not Addresses().permit(str(address), 443)


@given(st.text(max_size=30))
def test_what_is_no_address_is_not_connected_to(text: str) -> None:
    try:
        IPv4Address(text)
    except ValueError:
        assert not Addresses().permit(text, 443) or ":" in text


def test_what_the_operator_adds_may_be_reached_but_never_the_service_itself() -> None:
    addresses = Addresses(("10.1.0.0/16", "127.0.0.0/8", "fd00::/8"), own_ports=(8000,))
    assert addresses.permit("10.1.2.3", 8000)
    assert addresses.permit("::ffff:10.1.2.3", 443)
    assert addresses.permit("fd00::5", 443)
    assert addresses.permit("127.0.0.1", 443)
    assert not addresses.permit("127.0.0.1", 8000)
    assert not addresses.permit("::ffff:127.0.0.1", 8000)
    assert not addresses.permit("10.2.0.1", 443)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "ff02::1"])
def test_what_no_host_has_is_never_connected_to(address: str) -> None:
    assert not Addresses(("0.0.0.0/0", "::/0")).permit(address, 443)


def test_a_public_address_of_this_host_s_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is none in a test; this host's own are made to pass for public ones."""
    own = socket.gethostbyname(socket.gethostname())
    monkeypatch.setattr("soulbox_core.egress.addresses._NOT_PUBLIC_4", ())
    assert not Addresses().permit(own, 443)
    assert Addresses().permit("10.9.8.7", 443)


def test_what_is_no_network_is_told_by_the_setting_s_name() -> None:
    with pytest.raises(SettingsError, match=r"egress\.private_networks: 10\.0\.0\.1/8"):
        Gateway(Egress(private_networks=("10.0.0.1/8",)))
