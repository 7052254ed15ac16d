"""Solve Sudokus from stdin, and count the ways to place queens."""

import sys

PEERS = [
    {
        p
        for p in range(81)
        if p != s
        and (p // 9 == s // 9 or p % 9 == s % 9 or (p // 27, p % 9 // 3) == (s // 27, s % 9 // 3))
    }
    for s in range(81)
]
guesses: list[int] = []


def solve(cells: list[set[int]]) -> list[set[int]] | None:
    open_cells = [s for s in range(81) if len(cells[s]) > 1]
    if not open_cells:
        return cells
    square = min(open_cells, key=lambda s: len(cells[s]))
    for digit in sorted(cells[square]):
        guesses.append(digit)
        attempt = [set(cell) for cell in cells]
        if place(attempt, square, digit) and (solved := solve(attempt)):
            return solved
    return None


def place(cells: list[set[int]], square: int, digit: int) -> bool:
    cells[square] = {digit}
    for peer in PEERS[square]:
        if digit in cells[peer]:
            cells[peer].discard(digit)
            if not cells[peer]:
                return False
            if len(cells[peer]) == 1 and not place(cells, peer, next(iter(cells[peer]))):
                return False
    return True


def queens(size: int, row: int = 0, columns: int = 0, down: int = 0, up: int = 0) -> int:
    if row == size:
        return 1
    count, free = 0, ~(columns | down | up) & ((1 << size) - 1)
    while free:
        bit = free & -free
        free ^= bit
        count += queens(size, row + 1, columns | bit, (down | bit) << 1, (up | bit) >> 1)
    return count


for number, puzzle in enumerate(sys.stdin.read().split(), 1):
    cells = [set(range(1, 10)) for _ in range(81)]
    consistent = all(place(cells, s, int(c)) for s, c in enumerate(puzzle) if c != ".")
    solved = solve(cells) if consistent else None
    print(number, "".join(str(*cell) for cell in solved) if solved else "has no solution")
print("guessed:", len(guesses) > 0, "queens:", [queens(n) for n in range(1, 10)])
