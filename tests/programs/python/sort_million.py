"""Sort a million numbers in three ways that must agree."""

import heapq
import random
from itertools import pairwise

COUNT = 1_000_000


def main() -> None:
    generator = random.Random(20240229)
    numbers = [generator.getrandbits(32) for _ in range(COUNT)]
    ordered = sorted(numbers)
    print("sorted:", all(a <= b for a, b in pairwise(ordered)))
    print("ends:", ordered[0], ordered[-1])
    print("median:", (ordered[COUNT // 2 - 1] + ordered[COUNT // 2]) / 2)

    halves = sorted(numbers[: COUNT // 2]), sorted(numbers[COUNT // 2 :])
    print("merged:", list(heapq.merge(*halves)) == ordered)

    numbers.sort(key=(0xFF).__and__)
    print("by last byte:", numbers[0] & 0xFF, numbers[-1] & 0xFF)
    print("nothing lost:", sum(numbers) == sum(ordered))


main()
