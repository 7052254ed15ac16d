"""Dijkstra, Floyd and Warshall, Kruskal, and a knapsack, on input from stdin."""

import heapq
import math
import sys
from collections import defaultdict

tokens = iter(sys.stdin.read().split())
places, roads = int(next(tokens)), int(next(tokens))
graph: dict[int, list[tuple[int, int]]] = defaultdict(list)
edges = []
for _ in range(roads):
    a, b, length = int(next(tokens)), int(next(tokens)), int(next(tokens))
    graph[a].append((b, length))
    graph[b].append((a, length))
    edges.append((length, a, b))


def dijkstra(start: int) -> dict[int, float]:
    distance = {start: 0.0}
    waiting = [(0.0, start)]
    while waiting:
        far, here = heapq.heappop(waiting)
        if far > distance[here]:
            continue
        for there, length in graph[here]:
            if far + length < distance.get(there, math.inf):
                distance[there] = far + length
                heapq.heappush(waiting, (distance[there], there))
    return distance


table = [[0 if a == b else math.inf for b in range(places)] for a in range(places)]
for length, a, b in edges:
    table[a][b] = table[b][a] = min(table[a][b], length)
for k in range(places):
    for i in range(places):
        for j in range(places):
            table[i][j] = min(table[i][j], table[i][k] + table[k][j])

parent = list(range(places))


def root(x: int) -> int:
    while parent[x] != x:
        parent[x] = parent[parent[x]]
        x = parent[x]
    return x


tree = 0
for length, a, b in sorted(edges):
    if root(a) != root(b):
        parent[root(a)] = root(b)
        tree += length

for line in (dijkstra(start) for start in range(places)):
    print(*(int(line[p]) if p in line else "-" for p in range(places)))
same = all(
    dijkstra(a).get(b, math.inf) == table[a][b] for a in range(places) for b in range(places)
)
print("agree:", same, "tree:", tree, "parts:", len({root(x) for x in range(places)}))

capacity, count = int(next(tokens)), int(next(tokens))
best = [0] * (capacity + 1)
for _ in range(count):
    weight, value = int(next(tokens)), int(next(tokens))
    for room in range(capacity, weight - 1, -1):
        best[room] = max(best[room], best[room - weight] + value)
print("knapsack:", best[capacity])
