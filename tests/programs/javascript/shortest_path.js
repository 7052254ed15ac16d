// Dijkstra on a road map from stdin, by a preloaded priority queue; and A* on a grid.
const { readFileSync } = require('node:fs');
const { PriorityQueue } = require('@datastructures-js/priority-queue');

function shortest(start, neighbours, estimate = () => 0) {
  const best = new Map([[start, { cost: 0, before: null }]]);
  const queue = new PriorityQueue((a, b) => a.rank - b.rank || (a.place < b.place ? -1 : 1));
  queue.enqueue({ place: start, cost: 0, rank: estimate(start) });
  let looked = 0;
  while (!queue.isEmpty()) {
    const { place, cost } = queue.dequeue();
    if (cost > best.get(place).cost) continue;
    looked++;
    for (const [next, step] of neighbours(place)) {
      if (cost + step < (best.get(next)?.cost ?? Infinity)) {
        best.set(next, { cost: cost + step, before: place });
        queue.enqueue({ place: next, cost: cost + step, rank: cost + step + estimate(next) });
      }
    }
  }
  return { best, looked };
}

const route = (best, to) => (to === null ? [] : [...route(best, best.get(to).before), to]);

const roads = new Map();
const [map, questions] = readFileSync(0, 'utf8').trim().split('\n\n');
for (const line of map.split('\n')) {
  const [a, b, length] = line.split(/\s+/);
  for (const [from, to] of [[a, b], [b, a]]) {
    if (!roads.has(from)) roads.set(from, []);
    roads.get(from).push([to, Number(length)]);
  }
}
for (const line of questions.split('\n')) {
  const [from, to] = line.split(' ');
  const { best } = shortest(from, (place) => roads.get(place) ?? []);
  console.log(best.has(to) ? `${route(best, to).join(' > ')}: ${best.get(to).cost} km` : `no way from ${from} to ${to}`);
}

const SIZE = 120;
const wall = (x, y) => (x * 7 + y * 13) % 11 === 0 && (x + y) % 3 !== 0;
const around = (place) => {
  const [x, y] = place.split(',').map(Number);
  return [[x + 1, y], [x - 1, y], [x, y + 1], [x, y - 1]]
    .filter(([a, b]) => a >= 0 && b >= 0 && a < SIZE && b < SIZE && !wall(a, b))
    .map((next) => [next.join(), 1]);
};
const goal = `${SIZE - 1},${SIZE - 1}`;
const { best, looked } = shortest('0,0', around);
console.log(`grid: ${best.get(goal).cost} steps, ${looked} places seen`);
