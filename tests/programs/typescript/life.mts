// Life on an unbounded plane, as a set of cells; an ES module by its name.
type Cell = `${number},${number}`;
type Rule = { readonly birth: ReadonlySet<number>; readonly survival: ReadonlySet<number> };

const rule = (text: `B${number}/S${number}`): Rule => {
  const [birth, survival] = text.split('/').map((part) => new Set([...part.slice(1)].map(Number))) as [Set<number>, Set<number>];
  return { birth, survival };
};

function step(live: ReadonlySet<Cell>, { birth, survival }: Rule): Set<Cell> {
  const counts = new Map<Cell, number>();
  for (const cell of live) {
    const [x, y] = cell.split(',').map(Number) as [number, number];
    for (let dx = -1; dx <= 1; dx++) {
      for (let dy = -1; dy <= 1; dy++) {
        if (dx === 0 && dy === 0) continue;
        const near: Cell = `${x + dx},${y + dy}`;
        counts.set(near, (counts.get(near) ?? 0) + 1);
      }
    }
  }
  return new Set(counts.entries().filter(([cell, count]) => (live.has(cell) ? survival : birth).has(count)).map(([cell]) => cell));
}

function* generations(start: Iterable<Cell>, rules: Rule): Generator<ReadonlySet<Cell>, never> {
  for (let live: ReadonlySet<Cell> = new Set(start); ; live = step(live, rules)) yield live;
}

const pattern = (text: string): Cell[] => text.split('\n').flatMap((row, y) => [...row].flatMap((c, x): Cell[] => (c === '#' ? [`${x},${y}`] : [])));
const show = (live: ReadonlySet<Cell>): string => {
  const cells = [...live].map((cell) => cell.split(',').map(Number) as [number, number]);
  const [left, top] = [Math.min(...cells.map(([x]) => x)), Math.min(...cells.map(([, y]) => y))];
  const [right, bottom] = [Math.max(...cells.map(([x]) => x)), Math.max(...cells.map(([, y]) => y))];
  return Array.from({ length: bottom - top + 1 }, (_, y) => Array.from({ length: right - left + 1 }, (_, x) => (live.has(`${left + x},${top + y}`) ? '#' : '.')).join('')).join('\n');
};

const conway = rule('B3/S23');
const [glider] = generations(pattern('.#.\n..#\n###'), conway).drop(40).take(1);
console.log(show(glider!), [...glider!].sort()[0]);
const sizes = generations(pattern('.##\n##.\n.#.'), conway).take(201).map(({ size }) => size).toArray();
console.log(sizes.filter((_, i) => i % 25 === 0));
const [seeds] = generations(pattern('##'), rule('B2/S0')).drop(12).take(1);
console.log(seeds!.size, await Promise.resolve(import.meta.filename.endsWith('.mts')));
