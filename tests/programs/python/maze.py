"""Find the shortest way through mazes that come on stdin."""

import sys
from collections import deque

lines = iter(sys.stdin.read().split("\n"))
for case in range(1, int(next(lines)) + 1):
    rows, columns = map(int, next(lines).split())
    grid = [next(lines) for _ in range(rows)]
    start = next((r, c) for r in range(rows) for c in range(columns) if grid[r][c] == "S")
    came_from: dict[tuple[int, int], tuple[int, int] | None] = {start: None}
    waiting = deque([start])
    end = None
    while waiting:
        here = waiting.popleft()
        if grid[here[0]][here[1]] == "E":
            end = here
            break
        for r, c in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            there = here[0] + r, here[1] + c
            inside = 0 <= there[0] < rows and 0 <= there[1] < columns
            if inside and grid[there[0]][there[1]] != "#" and there not in came_from:
                came_from[there] = here
                waiting.append(there)
    if end is None:
        print(f"Case {case}: no way, {len(came_from)} places seen")
        continue
    way = set()
    place: tuple[int, int] | None = end
    while place is not None:
        way.add(place)
        place = came_from[place]
    print(f"Case {case}: {len(way) - 1} steps")
    for r in range(rows):
        print(
            "".join(
                "*" if (r, c) in way and grid[r][c] == "." else grid[r][c] for c in range(columns)
            )
        )
