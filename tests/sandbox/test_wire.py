import json
import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulbox_core.sandbox.launcher import wire

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


@given(JSON)
def test_a_frame_arrives_as_it_was_sent(frame: object) -> None:
    ours, theirs = pair()
    with ours, theirs:
        wire.send(ours, frame)
        assert wire.receive(theirs) == (frame, [])


@pytest.mark.parametrize("size", [wire.PACKET_BYTES - 2, wire.PACKET_BYTES - 1, 5 << 20])
def test_a_frame_of_any_size_arrives_with_its_descriptors(size: int) -> None:
    ours, theirs = pair()
    with ours, theirs, open(os.devnull) as null:
        wire.send(ours, "x" * size, (null.fileno(), null.fileno()))
        frame, descriptors = wire.receive(theirs)
        assert frame == "x" * size
        assert len(descriptors) == 2
        for descriptor in descriptors:
            assert os.fstat(descriptor).st_rdev == os.fstat(null.fileno()).st_rdev
            assert not os.get_inheritable(descriptor)
            os.close(descriptor)


def test_a_body_that_looks_like_the_mark_of_a_large_one_is_not_taken_for_it() -> None:
    ours, theirs = pair()
    with ours, theirs:
        wire.send(ours, "@")
        assert wire.receive(theirs)[0] == "@"


def test_both_ends_learn_that_the_other_is_gone() -> None:
    ours, theirs = pair()
    theirs.close()
    with ours:
        with pytest.raises(wire.Closed):
            wire.receive(ours)
        with pytest.raises(wire.Closed):
            wire.send(ours, {})


def test_nobody_can_change_a_sealed_file() -> None:
    memfd = wire.sealed_file(b"content")
    try:
        for attempt in (
            lambda: os.write(memfd, b"x"),
            lambda: os.ftruncate(memfd, 0),
            lambda: os.ftruncate(memfd, 1 << 20),
        ):
            with pytest.raises(PermissionError):
                attempt()
        assert os.read(memfd, 100) == b"content"
    finally:
        os.close(memfd)


def test_the_core_may_bring_its_own_decoder() -> None:
    ours, theirs = pair()
    with ours, theirs:
        wire.send(ours, [1])
        assert wire.receive(theirs, lambda body: json.loads(body) * 2) == ([1, 1], [])
