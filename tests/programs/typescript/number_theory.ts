// BigInt with types: rationals, Gaussian integers and a ring that works for any of them.
interface Ring<T> {
  readonly zero: T;
  readonly one: T;
  add(a: T, b: T): T;
  multiply(a: T, b: T): T;
  show(a: T): string;
}

class Rational {
  readonly n: bigint;
  readonly d: bigint;

  constructor(n: bigint, d: bigint = 1n) {
    if (d === 0n) throw new RangeError('division by zero');
    const g = gcd(n, d) * (d < 0n ? -1n : 1n);
    [this.n, this.d] = [n / g, d / g];
  }

  toString(): string {
    return this.d === 1n ? `${this.n}` : `${this.n}/${this.d}`;
  }
}

function gcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a < 0n ? -a : a;
}

const rationals: Ring<Rational> = {
  zero: new Rational(0n),
  one: new Rational(1n),
  add: (a, b) => new Rational(a.n * b.d + b.n * a.d, a.d * b.d),
  multiply: (a, b) => new Rational(a.n * b.n, a.d * b.d),
  show: String,
};

type Gaussian = readonly [re: bigint, im: bigint];
const gaussians: Ring<Gaussian> = {
  zero: [0n, 0n],
  one: [1n, 0n],
  add: ([a, b], [c, d]) => [a + c, b + d],
  multiply: ([a, b], [c, d]) => [a * c - b * d, a * d + b * c],
  show: ([re, im]) => `${re}${im < 0n ? '' : '+'}${im}i`,
};

const modulo = (m: bigint): Ring<bigint> => ({
  zero: 0n,
  one: 1n,
  add: (a, b) => (a + b) % m,
  multiply: (a, b) => (a * b) % m,
  show: (a) => `${a} mod ${m}`,
});

function power<T>(ring: Ring<T>, base: T, exponent: number): T {
  let result = ring.one;
  for (let b = base; exponent > 0; exponent >>>= 1, b = ring.multiply(b, b)) if (exponent & 1) result = ring.multiply(result, b);
  return result;
}

function evaluate<T>(ring: Ring<T>, coefficients: readonly T[], x: T): T {
  return coefficients.reduceRight((sum, c) => ring.add(ring.multiply(sum, x), c), ring.zero);
}

const demo = <T,>(ring: Ring<T>, ...xs: T[]): void =>
  console.log(xs.map((x) => `${ring.show(power(ring, x, 13))}, ${ring.show(evaluate(ring, [ring.one, x, ring.one], x))}`).join(' | '));

demo(rationals, new Rational(2n, -3n), new Rational(1n, 2n));
demo(gaussians, [1n, 2n], [0n, -1n]);
demo(modulo(1_000_000_007n), 123456789n, 2n);

function* bernoulli(): Generator<Rational, never> {
  const row: Rational[] = [];
  for (let m = 0n; ; m++) {
    row.push(new Rational(1n, m + 1n));
    for (let j = row.length - 1; j > 0; j--) {
      const [a, b] = [row[j - 1]!, row[j]!];
      row[j - 1] = rationals.multiply(new Rational(BigInt(j)), rationals.add(a, new Rational(-b.n, b.d)));
    }
    yield row[0]!;
  }
}
console.log(bernoulli().take(21).filter(({ n }) => n !== 0n).map(String).toArray().join(' '));

function continued(n: bigint, steps: number): bigint[] {
  const root = sqrt(n);
  const terms = [root];
  for (let [m, d, a] = [0n, 1n, root]; terms.length < steps; ) {
    m = d * a - m;
    d = (n - m * m) / d;
    a = (root + m) / d;
    terms.push(a);
  }
  return terms;
}

function sqrt(n: bigint): bigint {
  let x = n;
  for (let y = (n + 1n) / 2n; y < x; y = (x + n / x) / 2n) x = y;
  return x;
}
const convergent = (terms: readonly bigint[]): Rational => terms.toReversed().slice(1).reduce((r, a) => rationals.add(new Rational(a), new Rational(r.d, r.n)), new Rational(terms.at(-1)!));
console.log(continued(61n, 12).join(' '), `${convergent(continued(61n, 12))}`, `${convergent(continued(2n, 30))}`);
try {
  new Rational(1n, 0n);
} catch (error) {
  console.log(`${error}`);
}
