// Matrices with their sizes in the type, and linear regression on top.
type Tuple<T, N extends number, R extends T[] = []> = R['length'] extends N ? R : Tuple<T, N, [...R, T]>;

class Matrix<Rows extends number, Columns extends number> {
  private constructor(
    readonly rows: Rows,
    readonly columns: Columns,
    private readonly cells: Float64Array,
  ) {}

  static of<R extends number, C extends number>(rows: R, columns: C, cells: readonly Tuple<number, C>[] | ((i: number, j: number) => number)): Matrix<R, C> {
    const at = typeof cells === 'function' ? cells : (i: number, j: number) => (cells[i] as readonly number[])[j]!;
    return new Matrix(rows, columns, Float64Array.from({ length: rows * columns }, (_, k) => at(Math.floor(k / columns), k % columns)));
  }

  at(i: number, j: number): number {
    return this.cells[i * this.columns + j]!;
  }

  times<Other extends number>(other: Matrix<Columns, Other>): Matrix<Rows, Other> {
    return Matrix.of(this.rows, other.columns, (i, j) => {
      let sum = 0;
      for (let k = 0; k < this.columns; k++) sum += this.at(i, k) * other.at(k, j);
      return sum;
    });
  }

  get transposed(): Matrix<Columns, Rows> {
    return Matrix.of(this.columns, this.rows, (i, j) => this.at(j, i));
  }

  power(this: Matrix<Rows, Rows>, exponent: number): Matrix<Rows, Rows> {
    let result = Matrix.of(this.rows, this.rows, (i, j) => Number(i === j));
    for (let base = this, left = exponent; left > 0; left >>= 1, base = base.times(base)) {
      if (left & 1) result = result.times(base);
    }
    return result;
  }

  toString(): string {
    return Array.from({ length: this.rows }, (_, i) => Array.from({ length: this.columns }, (_, j) => +this.at(i, j).toFixed(4)).join(' ')).join('; ');
  }
}

function solve2(a: Matrix<2, 2>, b: Matrix<2, 1>): Tuple<number, 2> {
  const determinant = a.at(0, 0) * a.at(1, 1) - a.at(0, 1) * a.at(1, 0);
  return [(b.at(0, 0) * a.at(1, 1) - a.at(0, 1) * b.at(1, 0)) / determinant, (a.at(0, 0) * b.at(1, 0) - b.at(0, 0) * a.at(1, 0)) / determinant];
}

const a = Matrix.of(2, 3, [[1, 2, 3], [4, 5, 6]]);
console.log(`${a}`, '|', `${a.transposed}`, '|', `${a.times(a.transposed)}`);
console.log(`${Matrix.of(2, 2, [[1, 1], [1, 0]]).power(30)}`);

const N = 200;
const xs = Matrix.of(N as 200, 2, (i, j) => (j ? i / 10 : 1));
const ys = Matrix.of(N as 200, 1, (i) => 3.5 - 0.25 * (i / 10) + Math.sin(i * 12.9898) * 0.01);
const [intercept, slope] = solve2(xs.transposed.times(xs), xs.transposed.times(ys));
console.log(intercept.toFixed(2), slope.toFixed(3));

const big = Matrix.of(180, 180, (i, j) => ((i * 31 + j * 17) % 10) - 4.5);
const product = big.times(big.transposed);
let trace = 0;
for (let i = 0; i < 180; i++) trace += product.at(i, i);
console.log(trace);
