// Lazy sequences: generators, iterator helpers, two-way communication.
function* naturals(from = 1) {
  for (let n = from; ; n++) yield n;
}

function* primes() {
  const composites = new Map();
  for (const n of naturals(2)) {
    const found = composites.get(n);
    if (!found) yield n;
    for (const p of found ?? [n]) composites.set(n + p, [...(composites.get(n + p) ?? []), p]);
    composites.delete(n);
  }
}

function* zip(...iterables) {
  const iterators = iterables.map((each) => each[Symbol.iterator]());
  for (;;) {
    const steps = iterators.map((each) => each.next());
    if (steps.some(({ done }) => done)) return;
    yield steps.map(({ value }) => value);
  }
}

function* average() {
  let sum = 0;
  let count = 0;
  try {
    for (;;) {
      const value = yield count ? sum / count : undefined;
      if (value === undefined) continue;
      sum += value;
      count++;
    }
  } finally {
    console.log(`averaged ${count} values`);
  }
}

class Tree {
  constructor(value, left, right) {
    Object.assign(this, { value, left, right });
  }

  *[Symbol.iterator]() {
    if (this.left) yield* this.left;
    yield this.value;
    if (this.right) yield* this.right;
  }

  static of(values) {
    if (!values.length) return undefined;
    const middle = values.length >> 1;
    return new Tree(values[middle], Tree.of(values.slice(0, middle)), Tree.of(values.slice(middle + 1)));
  }
}

console.log(primes().take(15).toArray().join(' '));
console.log(primes().drop(1000).take(1).toArray());
console.log(naturals().filter((n) => n % 3 === 0).map((n) => n ** 2).take(5).toArray());
console.log([...zip('abc', naturals(), [true, false, null])]);
const mean = average();
mean.next();
console.log([10, 20, 60].map((value) => mean.next(value).value));
console.log(mean.return('enough'));
console.log([...Tree.of([..."lazyiteration"].sort())].join(''));
const caught = (function* () {
  try {
    yield 1;
  } catch (error) {
    yield `caught ${error.message}`;
  }
})();
caught.next();
console.log(caught.throw(new Error('this')).value, caught.next().done);
console.log(naturals().flatMap((n) => Array(n).fill(n)).take(10).reduce((a, b) => a * 10 + b));
console.log(Object.fromEntries(zip(['x', 'y'], [1, 2])), Math.max(...naturals().take(4)));
