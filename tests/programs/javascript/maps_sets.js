// Maps, sets and what is built on them.
class LruCache {
  #entries = new Map();
  hits = 0;

  constructor(size) {
    this.size = size;
  }

  get(key, make) {
    let value = this.#entries.get(key);
    if (this.#entries.has(key)) {
      this.hits++;
      this.#entries.delete(key);
    } else {
      value = make(key);
    }
    this.#entries.set(key, value);
    if (this.#entries.size > this.size) this.#entries.delete(this.#entries.keys().next().value);
    return value;
  }

  get keys() {
    return [...this.#entries.keys()];
  }
}

class UnionFind {
  #parents = new Map();

  find(item) {
    const parent = this.#parents.get(item) ?? item;
    if (parent === item) return item;
    const top = this.find(parent);
    this.#parents.set(item, top);
    return top;
  }

  union(a, b) {
    this.#parents.set(this.find(a), this.find(b));
  }
}

const cache = new LruCache(3);
for (const key of 'abcadbea') cache.get(key, (name) => name.toUpperCase());
console.log(cache.keys, cache.hits);

const even = new Set([2, 4, 6, 8, 10, 12]);
const threes = new Set([3, 6, 9, 12]);
console.log(even.intersection(threes), even.union(threes).size, even.difference(threes), even.symmetricDifference(threes));
console.log(new Set([6]).isSubsetOf(even), even.isDisjointFrom(new Set([1])), new Set([NaN, NaN, 0, -0]).size);

const groups = new UnionFind();
for (const [a, b] of [[1, 2], [3, 4], [2, 3], [5, 6]]) groups.union(a, b);
console.log([1, 2, 3, 4, 5, 6, 7].map((n) => groups.find(n)));

const anagrams = Map.groupBy(['listen', 'silent', 'enlist', 'google', 'gogole', 'cat'], (word) => [...word].sort().join(''));
console.log(anagrams);
console.log(new Map([['z', { deep: new Map([[1, new Set(['x'])]]) }], [{ k: 1 }, [1, 2]]]));

const secrets = new WeakMap();
const owner = {};
secrets.set(owner, 'hidden');
console.log(secrets.get(owner), secrets.has({}), new WeakRef(owner).deref() === owner);

const counts = new Map();
for (let i = 0; i < 200_000; i++) {
  const key = (i * 7919) % 1009;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
console.log(counts.size, Math.min(...counts.values()), Math.max(...counts.values()));
console.log([...new Map([['b', 1], ['a', 2]])].sort(), Object.entries({ 2: 'x', 1: 'y', z: 0, a: 1 }));
