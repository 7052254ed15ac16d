import pytest

from soulbox_core.api.addresses import TrustedProxies
from soulbox_core.errors import SettingsError
from tests.api.fakes import FakeRuns
from tests.api.listening import open_door
from tests.api.test_server import connect, post
from tests.loop import on_loop

PROXIES = TrustedProxies(("10.0.0.0/8", "2001:db8:1::/48"))


@pytest.mark.parametrize(
    ("peer", "lines", "client"),
    [
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("::ffff:10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["1.2.3.4, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["1.2.3.4", "198.51.100.7, 10.3.3.3"], "198.51.100.7"),
        ("10.0.0.1", ["10.9.9.9, 10.3.3.3"], "10.9.9.9"),
        ("10.0.0.1", ["198.51.100.7:4711"], "198.51.100.7"),
        ("2001:db8:1::5", ["[2001:db8:2::1]:443"], "2001:db8:2::1"),
        ("10.0.0.1", ["nonsense, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7,"], "10.0.0.1"),
        ("10.0.0.1", ["\xff"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("", ["198.51.100.7"], ""),
    ],
)
def test_the_client_is_whom_the_last_trusted_proxy_heard(
    peer: str, lines: list[str], client: str
) -> None:
    headers = [(b"x-forwarded-for", line.encode("latin-1")) for line in lines]
    assert PROXIES.client(peer, headers) == client


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "proxy.example.org", "", "10.0.0.0/33"])
def test_what_is_no_network_stops_the_start(wrong: str) -> None:
    with pytest.raises(SettingsError, match="trusted_proxies"):
        TrustedProxies((wrong,))


@pytest.mark.parametrize(("trusted", "seen"), [((), "127.0.0.1"), (("127.0.0.0/8",), "192.0.2.9")])
@on_loop
async def test_the_gate_is_told_of_the_client(
    runs: FakeRuns, trusted: tuple[str, ...], seen: str
) -> None:
    async with open_door(runs, trusted_proxies=trusted) as door:
        sent = post(b"out hi").replace(b"host:", b"x-forwarded-for: 192.0.2.9\r\nhost:")
        reader, writer = await connect(door.port, sent)
        assert await reader.readuntil(b'"stdout":"hi"')
        writer.close()
    assert door.gate.asked[0][1] == seen
