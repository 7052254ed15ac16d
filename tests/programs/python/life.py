"""Conway's life, with sets and with numpy, and a Mandelbrot set in characters."""

from collections import Counter
from itertools import product

import numpy as np

GLIDER = {(0, 1), (1, 2), (2, 0), (2, 1), (2, 2)}
PENTOMINO = {(0, 1), (0, 2), (1, 0), (1, 1), (2, 1)}


def step(alive: set[tuple[int, int]]) -> set[tuple[int, int]]:
    near = Counter(
        (x + dx, y + dy) for x, y in alive for dx, dy in product((-1, 0, 1), repeat=2) if dx or dy
    )
    return {cell for cell, count in near.items() if count == 3 or (count == 2 and cell in alive)}


def step_array(board: np.ndarray) -> np.ndarray:
    around = [
        np.roll(board, shift, (0, 1)) for shift in product((-1, 0, 1), repeat=2) if any(shift)
    ]
    count = sum(around)
    return ((count == 3) | ((count == 2) & (board == 1))).astype(np.int8)


alive = GLIDER
for _ in range(40):
    alive = step(alive)
print("glider moved by ten:", alive == {(x + 10, y + 10) for x, y in GLIDER})

alive, board = PENTOMINO, np.zeros((128, 128), np.int8)
for x, y in PENTOMINO:
    board[x + 64, y + 64] = 1
for generation in range(1, 201):
    alive, board = step(alive), step_array(board)
    if generation % 50 == 0:
        print(generation, len(alive), int(board.sum()))

y, x = np.ogrid[-1.2:1.2:17j, -2:0.6:60j]
c = x + 1j * y
z, steps = np.zeros_like(c), np.zeros(c.shape, int)
for _ in range(30):
    inside = np.abs(z) <= 2
    z[inside] = z[inside] ** 2 + c[inside]
    steps += inside
for row in steps:
    print("".join(" .:-=+*#%@"[min(n // 3, 9)] for n in row).rstrip())
