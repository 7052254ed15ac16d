"""Recursion: deep, wide, mutual, memoised."""

import sys
from collections.abc import Iterator
from functools import cache


def hanoi(disks: int, source: str = "A", target: str = "C", spare: str = "B") -> Iterator[str]:
    if disks:
        yield from hanoi(disks - 1, source, spare, target)
        yield source + target
        yield from hanoi(disks - 1, spare, target, source)


def permutations(items: str) -> Iterator[str]:
    if not items:
        yield ""
    for index, item in enumerate(items):
        for rest in permutations(items[:index] + items[index + 1 :]):
            yield item + rest


def ackermann(m: int, n: int) -> int:
    if m == 0:
        return n + 1
    return ackermann(m - 1, 1 if n == 0 else ackermann(m, n - 1))


@cache
def partitions(total: int, largest: int) -> int:
    if total == 0:
        return 1
    return sum(partitions(total - part, part) for part in range(min(total, largest), 0, -1))


def is_even(n: int) -> bool:
    return n == 0 or is_odd(n - 1)


def is_odd(n: int) -> bool:
    return n != 0 and is_even(n - 1)


def depth(n: int) -> int:
    return 0 if n == 0 else 1 + depth(n - 1)


moves = list(hanoi(12))
print(len(moves), moves[:7])
print(list(permutations("abc")), len(set(permutations("abcdefg"))))
try:
    depth(1_000_000)
except RecursionError as error:
    print("RecursionError:", error)
sys.setrecursionlimit(20_000)
print(depth(15_000), is_even(10_001))
print(ackermann(2, 300), ackermann(3, 5))
print(partitions(100, 100))
