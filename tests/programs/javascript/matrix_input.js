// Reads matrices from stdin; prints determinants as exact fractions, inverses and products.
const tokens = require('fs').readFileSync(0, 'utf8').split(/\s+/).filter(Boolean);
let at = 0;
const next = () => tokens[at++];

class Fraction {
  constructor(numerator, denominator = 1n) {
    const sign = denominator < 0n ? -1n : 1n;
    const divisor = gcd(numerator < 0n ? -numerator : numerator, denominator * sign) || 1n;
    this.n = (sign * numerator) / divisor;
    this.d = (sign * denominator) / divisor;
  }

  static parse(text) {
    const [n, d = '1'] = text.split('/');
    return new Fraction(BigInt(n), BigInt(d));
  }

  times = (o) => new Fraction(this.n * o.n, this.d * o.d);
  over = (o) => new Fraction(this.n * o.d, this.d * o.n);
  minus = (o) => new Fraction(this.n * o.d - o.n * this.d, this.d * o.d);
  plus = (o) => new Fraction(this.n * o.d + o.n * this.d, this.d * o.d);
  toString = () => (this.d === 1n ? `${this.n}` : `${this.n}/${this.d}`);
}

function gcd(a, b) {
  return b ? gcd(b, a % b) : a;
}

const identity = (n) => Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => new Fraction(BigInt(i === j))));
const multiply = (a, b) => a.map((row) => b[0].map((_, j) => row.reduce((sum, x, k) => sum.plus(x.times(b[k][j])), new Fraction(0n))));
const show = (matrix) => matrix.map((row) => `  [${row.join(', ')}]`).join('\n');

function solve(matrix) {
  const n = matrix.length;
  const rows = matrix.map((row) => [...row]);
  const inverse = identity(n);
  let determinant = new Fraction(1n);
  for (let column = 0; column < n; column++) {
    const pivot = rows.findIndex((row, i) => i >= column && row[column].n !== 0n);
    if (pivot < 0) return { determinant: new Fraction(0n) };
    if (pivot !== column) {
      for (const m of [rows, inverse]) [m[pivot], m[column]] = [m[column], m[pivot]];
      determinant = determinant.times(new Fraction(-1n));
    }
    const factor = rows[column][column];
    determinant = determinant.times(factor);
    for (const m of [rows, inverse]) m[column] = m[column].map((x) => x.over(factor));
    for (let i = 0; i < n; i++) {
      const by = rows[i][column];
      if (i === column || by.n === 0n) continue;
      for (const m of [rows, inverse]) m[i] = m[i].map((x, j) => x.minus(by.times(m[column][j])));
    }
  }
  return { determinant, inverse };
}

for (let count = Number(next()), k = 1; k <= count; k++) {
  const n = Number(next());
  const matrix = Array.from({ length: n }, () => Array.from({ length: n }, () => Fraction.parse(next())));
  const { determinant, inverse } = solve(matrix);
  console.log(`#${k} det = ${determinant}`);
  if (inverse) {
    console.log(show(inverse));
    console.log('  times itself:', multiply(matrix, inverse).flat().join(' '));
  }
}
