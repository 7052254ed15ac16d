// Conway's game of life on a torus of bytes: a glider, a gun, and a soup.
class Life {
  constructor(width, height) {
    Object.assign(this, { width, height, cells: new Uint8Array(width * height) });
  }

  place(pattern, left, top) {
    pattern.split('\n').forEach((row, y) => [...row].forEach((cell, x) => {
      if (cell === '#') this.cells[(top + y) * this.width + left + x] = 1;
    }));
    return this;
  }

  step(times = 1) {
    const { width, height } = this;
    for (; times > 0; times--) {
      const next = new Uint8Array(this.cells.length);
      for (let y = 0; y < height; y++) {
        const above = ((y || height) - 1) * width;
        const here = y * width;
        const below = ((y + 1) % height) * width;
        for (let x = 0; x < width; x++) {
          const left = (x || width) - 1;
          const right = (x + 1) % width;
          const c = this.cells;
          const n = c[above + left] + c[above + x] + c[above + right] + c[here + left] + c[here + right] + c[below + left] + c[below + x] + c[below + right];
          next[here + x] = n === 3 || (n === 2 && c[here + x]) ? 1 : 0;
        }
      }
      this.cells = next;
    }
    return this;
  }

  get population() {
    return this.cells.reduce((sum, cell) => sum + cell, 0);
  }

  toString() {
    return Array.from({ length: this.height }, (_, y) => Array.from(this.cells.subarray(y * this.width, (y + 1) * this.width), (cell) => '.#'[cell]).join('')).join('\n');
  }
}

const glider = '.#.\n..#\n###';
const gun = [
  '........................#...........',
  '......................#.#...........',
  '............##......##............##',
  '...........#...#....##............##',
  '##........#.....#...##..............',
  '##........#...#.##....#.#...........',
  '..........#.....#.......#...........',
  '...........#...#....................',
  '............##......................',
].join('\n');

console.log(String(new Life(8, 6).place(glider, 0, 0).step(12)));
const shooting = new Life(80, 80).place(gun, 2, 2);
console.log([0, 30, 60, 90].map((_, i) => shooting.step(i && 30).population));
const soup = new Life(256, 256);
let seed = 1;
for (let i = 0; i < soup.cells.length; i++) {
  seed = (seed * 48271) % 2147483647;
  soup.cells[i] = seed & 1;
}
console.log(soup.population, soup.step(100).population, soup.step(100).population);
