// Sorting a million records by several typed keys.
interface Reading {
  readonly sensor: number;
  readonly time: number;
  readonly value: number;
}

type Key<T> = (item: T) => number;

function* readings(count: number): Generator<Reading> {
  let state = 12345;
  const random = (): number => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff);
  for (let i = 0; i < count; i++) yield { sensor: random() % 100, time: random() % 100_000, value: random() / 0x80000000 };
}

const by = <T,>(...keys: readonly Key<T>[]) => (a: T, b: T): number => {
  for (const key of keys) {
    const difference = key(a) - key(b);
    if (difference !== 0) return difference;
  }
  return 0;
};

class Columns<T extends Record<K, number>, K extends string & keyof T> {
  readonly data: Record<K, Float64Array>;

  constructor(items: readonly T[], keys: readonly K[]) {
    this.data = Object.fromEntries(keys.map((key) => [key, Float64Array.from(items, (item) => item[key])])) as Record<K, Float64Array>;
  }

  order(...keys: readonly K[]): Uint32Array {
    const index = Uint32Array.from(this.data[keys[0]!], (_, i) => i);
    const columns = keys.map((key) => this.data[key]);
    return index.sort((a, b) => {
      for (const column of columns) if (column[a] !== column[b]) return column[a]! - column[b]!;
      return a - b;
    });
  }
}

const MILLION = 1_000_000;
const plain = Int32Array.from({ length: MILLION }, ((state) => () => (state = (Math.imul(state, 48271) + 11) | 0))(1));
const sorted = plain.toSorted();
console.log(sorted[0], sorted[MILLION >> 1], sorted[MILLION - 1], plain.length - new Set(plain).size);

const all = [...readings(150_000)];
const rows = all.toSorted(by((r) => r.sensor, (r) => -r.time, (r) => r.value));
console.log(rows[0], rows.at(-1)?.sensor, rows.every((r, i) => i === 0 || rows[i - 1]!.sensor <= r.sensor));
const order = new Columns(all, ['sensor', 'time', 'value']).order('sensor', 'time');
console.log(all[order[0]!]!.time, all[order.at(-1)!]!.time, order.length);
const top = Object.entries(Object.groupBy(all, ({ sensor }) => sensor)).map(([sensor, group = []]) => [Number(sensor), group.length] as const).toSorted(by(([, n]) => -n, ([s]) => s));
console.log(top.slice(0, 3), top.length);
