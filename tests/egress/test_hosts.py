"""Hosts as text: what a request may ask for, what a policy grants, what the proxy is asked."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulbox_core.egress.hosts import HostPattern, Way, host, host_pattern, host_patterns

LABEL = st.text(string.ascii_letters + string.digits, min_size=1, max_size=20)
NAMES = st.lists(LABEL, min_size=1, max_size=5).map(".".join).map(lambda name: f"{name}.test")
PATTERNS = st.builds(
    lambda star, name, port: f"{star}{name}{port}",
    st.sampled_from(("", "*.")),
    st.sampled_from(("a.test", "b.a.test", "test", "ba.test")),
    st.sampled_from(("", ":443", ":80", ":8443")),
)


@given(NAMES, st.integers(1, 65535))
def test_a_name_and_a_port_come_back(name: str, port: int) -> None:
    assert host(f"{name}:{port}") == (name.lower(), port)
    assert host(name) == (name.lower(), 443)
    assert host(name, 80) == (name.lower(), 80)


@given(st.text(max_size=40) | st.text("ab.-:0123\n@/[]", max_size=20))
def test_any_text_is_a_host_in_lower_case_or_refused(text: str) -> None:
    try:
        name, port = host(text)
    except ValueError:
        return
    asked_name, _, asked_port = text.partition(":")
    assert (asked_name.lower(), int(asked_port or "443")) == (name, port)
    assert name.isascii()
    assert name == name.lower()
    assert 0 < port < 1 << 16
    assert all(0 < len(label) < 64 for label in name.split("."))


@pytest.mark.parametrize("text", ["", " a", "a ", "a\n", "a:1\n", "\u212aelvin.test", "a:\u0661"])
def test_look_alikes_are_no_hosts(text: str) -> None:
    with pytest.raises(ValueError, match="is not a host name"):
        host(text)
    with pytest.raises(ValueError, match="is not a host name"):
        host_pattern(text)


@pytest.mark.parametrize(
    ("text", "name", "port", "matches"),
    [
        ("a.test", "a.test", 80, True),
        ("a.test", "a.test", 443, True),
        ("A.Test", "a.test", 443, True),
        ("a.test", "a.test", 22, False),
        ("a.test:22", "a.test", 22, True),
        ("a.test:22", "a.test", 443, False),
        ("a.test", "b.a.test", 443, False),
        ("a.test", "ba.test", 443, False),
        ("*.a.test", "b.a.test", 443, True),
        ("*.a.test", "c.b.a.test", 443, True),
        ("*.a.test", "a.test", 443, False),
        ("*.a.test", "ba.test", 443, False),
        ("*.a.test", ".a.test", 443, True),  # which is no name, so that nobody gets to ask for it
        ("*.a.test:8443", "b.a.test", 443, False),
    ],
)
def test_a_pattern_matches_by_name_and_port(text: str, name: str, port: int, matches: bool) -> None:
    assert host_pattern(text).matches(name, port) is matches


@pytest.mark.parametrize(
    "text",
    [
        *("127.0.0.1", "1.2.3.4:80", "2130706433", "0x7f000001", "a.0x7f", "a.1", "0177.0.0.1"),
        *("*", "*.", "a.*", "*a.test", "**.a.test", "a.test.", ".a.test", "a..test", "-a.test"),
        *("[::1]", "::1", "a.test:0", "a.test:65536", "a.test:x", "a.test:", "a.test:080"),
        *("http://a.test", "a.test/", "user@a.test", "a.test:80:80", "a" * 64, "a." * 127 + "b"),
    ],
)
def test_what_is_no_name_is_no_pattern(text: str) -> None:
    with pytest.raises(ValueError, match=r"host name|address"):
        host_pattern(text)


@given(PATTERNS, PATTERNS, st.sampled_from(("a.test", "b.a.test", "c.b.a.test", "x.test", "test")))
def test_what_covers_another_matches_all_that_it_matches(one: str, other: str, name: str) -> None:
    granted, asked = host_pattern(one), host_pattern(other)
    for port in (80, 443, 8443):
        if granted.covers(asked) and asked.matches(name, port):
            assert granted.matches(name, port)
    assert granted.covers(granted)


def test_a_way_leads_to_what_was_asked_for_and_to_what_was_named() -> None:
    way = Way(patterns=host_patterns(("a.test", "*.b.test:8443")), named=frozenset({("c", 1)}))
    assert way.allows("a.test", 443)
    assert way.allows("x.b.test", 8443)
    assert way.allows("c", 1)
    assert not way.allows("c", 2)
    assert not way.allows("b.test", 8443)
    assert way.trusts("c", 1)
    assert not way.trusts("a.test", 443)


def test_patterns_are_values() -> None:
    assert host_pattern("a.test") == HostPattern(name="a.test", below=False, ports=(80, 443))
