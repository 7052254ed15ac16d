import pytest

from soulbox_core.journal.frames import framed, frames

PAYLOADS = [b"one", b"", b"three" * 1000]
DATA = b"".join(map(framed, PAYLOADS))


def test_what_was_written_is_read() -> None:
    assert frames(DATA) == (PAYLOADS, False)
    assert frames(b"") == ([], False)


@pytest.mark.parametrize("size", [1, 7, 8, 10, len(DATA) - 1])
def test_a_torn_end_is_noticed_and_what_comes_before_it_is_read(size: int) -> None:
    torn = DATA[:size]
    found = frames(torn)
    assert found.damaged
    assert (
        b"".join(map(framed, found.payloads)) == DATA[: len(b"".join(map(framed, found.payloads)))]
    )
    assert len(found.payloads) < len(PAYLOADS)


@pytest.mark.parametrize("at", range(14))
@pytest.mark.parametrize("bit", [0, 7])
def test_a_changed_bit_is_never_read(at: int, bit: int) -> None:
    changed = bytearray(DATA)
    changed[at] ^= 1 << bit
    found = frames(bytes(changed))
    assert found.damaged
    assert found.payloads in ([], PAYLOADS[:1])
