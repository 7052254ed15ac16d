"""What is read was written by us, for this key, and is an answer that is kept."""

from typing import Any

import msgspec
import pytest

from soulbox_core.model import Compilation, Hit, Outcome, OutputFile, Status, Visit
from soulbox_core.results.entry import Entry, Seal
from soulbox_core.results.key import derived
from tests.results.house import SECRET, outcome

KEY, OTHER_KEY = "0" * 64, "1" * 64
NOW = 1_000_000.0
SEAL = Seal(derived(SECRET, "entry"), 100.0, 10_000)
VISIT = Visit(host="a.b", port=443, allowed=True, connections=1, sent_bytes=1, received_bytes=1)


def full() -> Outcome:
    """Everything in it; made anew, for other tests look for outcomes that were left."""
    return outcome(
        stdout=b"\0\xff",
        compilation=Compilation(cached=True, output=b"warning"),
        output_files=(OutputFile(path="a.png", content=b"\x89"),),
        outputs_missing=("*.csv",),
        truncated=("stderr",),
    )


NOT_KEPT: dict[str, dict[str, Any]] = {
    **{status: {"status": status, "exit_code": 1} for status in Status if status is not Status.OK},
    "an exit code that is none": {"exit_code": None},
    "network": {"network": (VISIT,)},
    "files that were not brought back": {"outputs_skipped": ("huge.bin",)},
    "network that was not used": {"network": ()},
}


def closed(kept: Outcome, at: float = NOW, key: str = KEY, seal: Seal = SEAL) -> bytes:
    data = seal.closed(key, kept, at)
    assert data is not None
    return data


def forged(kept: Outcome, at: float = NOW, seal: Seal = SEAL) -> bytes:
    """An entry as only who knows the secret could write it, without a look at what it holds."""
    payload = msgspec.msgpack.encode(Entry(at, kept))
    return b"\x01" + seal._tag(KEY, payload) + payload


def test_an_answer_comes_back_as_it_was() -> None:
    entry = SEAL.opened(KEY, closed(full()), NOW + 1)
    assert entry == Entry(NOW, full())
    assert forged(full()) == closed(full())


def test_it_is_kept_as_if_it_had_just_been_made() -> None:
    told = msgspec.structs.replace(
        full(), replayed=True, hit=Hit(key=KEY, level="joined", age_seconds=1.0)
    )
    entry = SEAL.opened(KEY, closed(told), NOW)
    assert entry is not None
    assert entry.outcome == full()


@pytest.mark.parametrize("changes", NOT_KEPT.values(), ids=NOT_KEPT)
def test_what_did_not_end_well_is_neither_kept_nor_believed(changes: dict[str, Any]) -> None:
    assert SEAL.closed(KEY, outcome(**changes), NOW) is None
    with pytest.raises(ValueError, match="no answer that is kept"):
        SEAL.opened(KEY, forged(outcome(**changes)), NOW)


@pytest.mark.parametrize(
    "changes", [{"replayed": True}, {"hit": Hit(key=KEY, level="none", age_seconds=0.0)}]
)
def test_what_is_never_written_is_not_believed(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no answer that is kept"):
        SEAL.opened(KEY, forged(outcome(**changes)), NOW)


def test_an_answer_that_is_too_large_is_neither_kept_nor_believed() -> None:
    size = len(closed(outcome(stdout=b"x" * 1000)))
    exact = outcome(stdout=b"x" * (1000 + 10_000 - size))
    assert len(closed(exact)) == 10_000
    larger = msgspec.structs.replace(exact, stdout=exact.stdout + b"x")
    assert SEAL.closed(KEY, larger, NOW) is None
    assert SEAL.closed(KEY, outcome(stdout=b"x" * 100_000), NOW) is None
    with pytest.raises(ValueError, match="no entry"):
        SEAL.opened(KEY, forged(larger), NOW)


def test_names_that_are_no_text_cannot_be_kept() -> None:
    file = OutputFile(path="\udcff", content=b"")
    assert SEAL.closed(KEY, outcome(output_files=(file,)), NOW) is None


def test_it_is_good_for_its_time() -> None:
    data = closed(outcome())
    entry = SEAL.opened(KEY, data, NOW + 99.0)
    assert entry is not None
    assert SEAL.left_seconds(entry, NOW + 99.0) == 1.0
    assert SEAL.opened(KEY, data, NOW + 100.0) is None
    assert SEAL.opened(KEY, data, NOW - 10.0) is not None  # our clock is behind
    assert SEAL.left_seconds(entry, NOW - 10.0) == 100.0
    for at in (NOW + 1000.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="future"):
            SEAL.opened(KEY, forged(outcome(), at), NOW)


def test_every_flipped_bit_is_noticed() -> None:
    data = closed(full())
    for place in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[place] ^= 1 << bit
            with pytest.raises(ValueError, match=r"no entry|not ours"):
                SEAL.opened(KEY, bytes(flipped), NOW)


def test_every_cut_and_every_addition_is_noticed() -> None:
    data = closed(full())
    for length in range(len(data)):
        with pytest.raises(ValueError, match=r"no entry|not ours"):
            SEAL.opened(KEY, data[:length], NOW)
    with pytest.raises(ValueError, match="not ours"):
        SEAL.opened(KEY, data + b"\0", NOW)


def test_an_entry_is_of_one_key_and_one_secret() -> None:
    data = closed(full())
    with pytest.raises(ValueError, match="not of this key"):
        SEAL.opened(OTHER_KEY, data, NOW)
    for secret in ("another one of this length, or more", ""):
        other = Seal(derived(secret, "entry"), 100.0, 10_000)
        with pytest.raises(ValueError, match="not ours"):
            other.opened(KEY, data, NOW)


@pytest.mark.parametrize("payload", [b"", b"\xc0", b"\x92\x01", b"\x92\xcb" + b"\0" * 8 + b"\x80"])
def test_what_has_another_shape_is_not_believed_even_from_us(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"cannot be read|no entry"):
        SEAL.opened(KEY, b"\x01" + SEAL._tag(KEY, payload) + payload, NOW)
