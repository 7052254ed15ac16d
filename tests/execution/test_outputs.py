from hypothesis import given
from hypothesis import strategies as st

from soulbox_core.execution.outputs import STREAMS, Capped, Collector
from soulbox_core.model import Stream

Chunks = list[tuple[Stream, bytes]]
chunks = st.lists(st.tuples(st.sampled_from(STREAMS), st.binary(max_size=8)), max_size=20)


def test_streams_are_kept_apart() -> None:
    output = Collector()
    for stream, data in (("stdout", b"a"), ("stderr", b"x"), ("stdout", b"b")):
        output(stream, data)  # type: ignore[arg-type]
    assert (output.stdout, output.stderr) == (b"ab", b"x")


def test_output_of_exactly_the_cap_is_whole() -> None:
    output = Collector()
    capped = Capped(4, output)
    capped("stdout", b"abcd")
    assert output.stdout == b"abcd"
    assert capped.truncated(()) == ()


def test_only_the_stream_that_lost_data_is_marked() -> None:
    output = Collector()
    capped = Capped(4, output)
    capped("stderr", b"abc")
    capped("stdout", b"def")
    assert (output.stdout, output.stderr) == (b"d", b"abc")
    assert capped.truncated(()) == ("stdout",)


def test_what_the_cell_held_back_is_marked_too() -> None:
    assert Capped(4, Collector()).truncated(("stderr", "stdout")) == ("stdout", "stderr")


def test_touched_by_the_first_byte() -> None:
    capped = Capped(4, Collector())
    assert not capped.touched
    capped("stderr", b"x")
    assert capped.touched


@given(chunks, st.integers(1, 40))
def test_no_more_than_the_cap_is_passed_on_and_all_of_it_in_order(
    written: Chunks, cap: int
) -> None:
    passed: Chunks = []
    capped = Capped(cap, lambda stream, data: passed.append((stream, data)))
    for stream, data in written:
        capped(stream, data)
    total = sum(len(data) for _, data in written)
    assert sum(len(data) for _, data in passed) == min(cap, total)
    lossy = []
    for stream in STREAMS:
        all_of_it = b"".join(data for name, data in written if name == stream)
        got = b"".join(data for name, data in passed if name == stream)
        assert all_of_it.startswith(got)
        if len(got) < len(all_of_it):
            lossy.append(stream)
    assert capped.truncated(()) == tuple(lossy)
