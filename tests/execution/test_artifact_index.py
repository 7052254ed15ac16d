from hypothesis import given
from hypothesis import strategies as st

from soulbox_core.execution.artifact_index import Entry, Index

MOST = 10
COUNT = 4
keys = st.integers(0, 6).map(lambda number: ("lua", str(number)))
moves = st.lists(
    st.tuples(st.just("add"), keys, st.integers(1, MOST))
    | st.tuples(st.sampled_from(["use", "lease", "release"]), keys, st.just(0)),
    max_size=60,
)


@given(moves)
def test_only_the_longest_unused_that_nobody_leases_make_room(
    moves: list[tuple[str, tuple[str, str], int]],
) -> None:
    """Against a plain model: a list in order of use, and a set of leases."""
    index = Index(MOST, COUNT)
    order: list[tuple[tuple[str, str], int]] = []
    leased: list[tuple[str, str]] = []
    for move, name, size in moves:
        there = index.get(name) is not None
        if move == "add" and not there:
            chosen = index.make_room(size, 1)
            expected = []
            for old in list(order):
                fits = sum(each for _, each in order) + size <= MOST and len(order) < COUNT
                if fits:
                    break
                if old[0] not in leased:
                    expected.append(old[0])
                    order.remove(old)
            assert chosen == expected
            index.add(name, Entry(size, 0.0))
            order.append((name, size))
        elif move == "use" and there:
            index.use(name)
            used = next(each for each in order if each[0] == name)
            order.remove(used)
            order.append(used)
        elif move == "lease":
            index.lease(name)
            leased.append(name)
        elif move == "release" and name in leased:
            index.release(name)
            leased.remove(name)
        assert index.bytes == sum(size for _, size in order)
        assert len(index) == len(order)
        if not leased:
            index.make_room()
            assert not index.is_over
            order = [each for each in order if index.get(each[0]) is not None]
