// A cache with a time to live, eviction and statistics, by generics, symbols and a fake clock.
interface Clock {
  now(): number;
}

interface CacheOptions {
  readonly capacity: number;
  readonly ttl?: number;
  readonly clock?: Clock;
}

interface Entry<V> {
  value: V;
  expires: number;
}

class Cache<K, V> implements Iterable<[K, V]>, Disposable {
  private readonly entries = new Map<K, Entry<V>>();
  private readonly ttl: number;
  private readonly clock: Clock;
  readonly stats = { hits: 0, misses: 0, evicted: 0, expired: 0 };

  constructor(private readonly options: Readonly<CacheOptions>) {
    ({ ttl: this.ttl = Infinity, clock: this.clock = Date } = options);
  }

  get(key: K, load: (key: K) => V): V;
  get(key: K): V | undefined;
  get(key: K, load?: (key: K) => V): V | undefined {
    const entry = this.fresh(key);
    if (entry) {
      this.stats.hits++;
      this.entries.delete(key);
      this.entries.set(key, entry);
      return entry.value;
    }
    this.stats.misses++;
    return load && this.set(key, load(key));
  }

  set(key: K, value: V): V {
    this.entries.delete(key);
    this.entries.set(key, { value, expires: this.clock.now() + this.ttl });
    while (this.entries.size > this.options.capacity) {
      const [oldest] = this.entries.keys() as Iterable<K> as unknown as [K];
      this.entries.delete(oldest);
      this.stats.evicted++;
    }
    return value;
  }

  private fresh(key: K): Entry<V> | undefined {
    const entry = this.entries.get(key);
    if (entry && entry.expires <= this.clock.now()) {
      this.entries.delete(key);
      this.stats.expired++;
      return undefined;
    }
    return entry;
  }

  *[Symbol.iterator](): IterableIterator<[K, V]> {
    for (const [key, { value }] of this.entries) yield [key, value];
  }

  [Symbol.dispose](): void {
    console.log('disposed with', this.entries.size);
    this.entries.clear();
  }
}

class FakeClock implements Clock {
  constructor(private time = 0) {}
  now = (): number => this.time;
  advance(by: number): void {
    this.time += by;
  }
}

function cached<A extends readonly (string | number)[], R>(f: (...args: A) => R, options: CacheOptions): ((...args: A) => R) & { cache: Cache<string, R> } {
  const cache = new Cache<string, R>(options);
  return Object.assign((...args: A) => cache.get(JSON.stringify(args), () => f(...args)), { cache });
}

{
  const clock = new FakeClock(1000);
  using cache = new Cache<string, number>({ capacity: 2, ttl: 50, clock });
  cache.set('a', 1);
  cache.set('b', 2);
  console.log(cache.get('a'), cache.get('c', (key) => key.length), [...cache]);
  clock.advance(50);
  console.log(cache.get('a'), [...cache].length, cache.stats);
}

let calls = 0;
const binomial = cached((n: number, k: number): bigint => {
  calls++;
  return k === 0 || k === n ? 1n : binomial(n - 1, k - 1) + binomial(n - 1, k);
}, { capacity: 10_000 });
console.log(binomial(100, 50), calls, binomial.cache.stats.hits);
