import pytest

from soulbox_core.remote.address import is_address


@pytest.mark.parametrize("url", ["http://a", "https://u:p@a:1/x?y", "http://[::1]:8000"])
def test_an_address(url: str) -> None:
    assert is_address(url, ("http", "https"))


@pytest.mark.parametrize(
    "url",
    ["", "a", "http://", "http:///x", "http://a:port", "http://a:0", "http://a:99999", "ws://a"],
)
def test_what_is_none(url: str) -> None:
    assert not is_address(url, ("http", "https"))
