// Sudokus from stdin, by constraint propagation on bit sets and search.
import { readFileSync } from 'node:fs';

type Mask = number;
type Grid = Uint16Array;

const ALL: Mask = 0x1ff;
const UNITS: readonly (readonly number[])[] = Array.from({ length: 27 }, (_, u) =>
  Array.from({ length: 9 }, (_, i) => {
    const k = u % 9;
    if (u < 9) return k * 9 + i;
    if (u < 18) return i * 9 + k;
    return (Math.floor(k / 3) * 3 + Math.floor(i / 3)) * 9 + (k % 3) * 3 + (i % 3);
  }),
);
const PEERS: readonly ReadonlySet<number>[] = Array.from({ length: 81 }, (_, cell) =>
  new Set(UNITS.filter((unit) => unit.includes(cell)).flat()).difference(new Set([cell])),
);

const bits = (mask: Mask): number => {
  let count = 0;
  for (; mask; mask &= mask - 1) count++;
  return count;
};

let guesses = 0;

function assign(grid: Grid, cell: number, mask: Mask): boolean {
  grid[cell] = mask;
  for (const peer of PEERS[cell]!) if (grid[peer]! & mask && !eliminate(grid, peer, mask)) return false;
  return true;
}

function eliminate(grid: Grid, cell: number, mask: Mask): boolean {
  const left = grid[cell]! & ~mask;
  if (left === 0) return false;
  if (left === grid[cell]) return true;
  grid[cell] = left;
  return bits(left) !== 1 || assign(grid, cell, left);
}

function search(grid: Grid): Grid | undefined {
  let best = -1;
  for (let cell = 0; cell < 81; cell++) {
    const count = bits(grid[cell]!);
    if (count > 1 && (best < 0 || count < bits(grid[best]!))) best = cell;
  }
  if (best < 0) return grid;
  for (let options = grid[best]!; options; options &= options - 1) {
    const copy = grid.slice();
    guesses++;
    if (assign(copy, best, options & -options)) {
      const solved = search(copy);
      if (solved) return solved;
    }
  }
  return undefined;
}

function solve(puzzle: string): Grid | undefined {
  const grid: Grid = new Uint16Array(81).fill(ALL);
  for (const [cell, char] of [...puzzle].entries()) {
    if (char !== '.' && (!(grid[cell]! & (1 << (+char - 1))) || !assign(grid, cell, 1 << (+char - 1)))) return undefined;
  }
  return search(grid);
}

for (const puzzle of readFileSync(0, 'utf8').trim().split('\n')) {
  guesses = 0;
  const solved = solve(puzzle);
  const text = solved && Array.from(solved, (mask) => Math.log2(mask) + 1).join('');
  console.log(text ?? 'no solution', guesses > 0 ? `${guesses} guesses` : 'no guess');
  if (text) console.log('  valid:', UNITS.every((unit) => new Set(unit.map((cell) => text[cell])).size === 9), [...puzzle].every((c, i) => c === '.' || c === text[i]));
}
