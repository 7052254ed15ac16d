// Recursion: towers, queens, permutations, a flood fill, and memory of what was computed.
function hanoi(n, from = 'A', to = 'C', over = 'B') {
  return n === 0 ? 0 : hanoi(n - 1, from, over, to) + 1 + hanoi(n - 1, over, to, from);
}

function queens(n, row = 0, columns = 0, left = 0, right = 0) {
  if (row === n) return 1;
  let count = 0;
  for (let free = ((1 << n) - 1) & ~(columns | left | right); free; free &= free - 1) {
    const bit = free & -free;
    count += queens(n, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1);
  }
  return count;
}

function* permutations(items) {
  if (items.length === 0) yield items;
  for (const [i, item] of items.entries()) {
    for (const rest of permutations(items.toSpliced(i, 1))) yield [item, ...rest];
  }
}

const ackermann = (m, n) => (m === 0 ? n + 1 : ackermann(m - 1, n === 0 ? 1 : ackermann(m, n - 1)));

const memoized = (f) => {
  const known = new Map();
  return (...args) => {
    const key = args.join();
    if (!known.has(key)) known.set(key, f(...args));
    return known.get(key);
  };
};
const paths = memoized((x, y) => (x === 0 || y === 0 ? 1n : paths(x - 1, y) + paths(x, y - 1)));
const collatz = memoized((n) => (n === 1 ? 0 : 1 + collatz(n % 2 ? 3 * n + 1 : n / 2)));

function fill(grid, x, y) {
  if (grid[y]?.[x] !== '.') return 0;
  grid[y][x] = '~';
  return 1 + fill(grid, x + 1, y) + fill(grid, x - 1, y) + fill(grid, x, y + 1) + fill(grid, x, y - 1);
}

console.log('hanoi', hanoi(16));
console.log('queens', [4, 5, 6, 7, 8, 9, 10].map((n) => queens(n)));
console.log('permutations', [...permutations([..."abcd"])].map((p) => p.join('')).slice(0, 8), [...permutations([1, 2, 3, 4, 5, 6, 7])].length);
console.log('ackermann', ackermann(2, 9), ackermann(3, 6));
console.log('paths', paths(30, 30));
console.log('collatz', Array.from({ length: 10 }, (_, i) => collatz(i + 1)), collatz(837799));
const lake = ['#######', '#..#..#', '#.##..#', '#...#.#', '#######'].map((row) => [...row]);
console.log('lake', fill(lake, 1, 1), lake.map((row) => row.join('')).join('/'));

let depth = 0;
(function dig() {
  depth++;
  try {
    dig();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
})();
console.log('the stack ends', depth > 1000);
