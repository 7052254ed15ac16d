// Mapped, conditional and template literal types, used by an event emitter and a query builder.
type Events = {
  login: { user: string };
  message: { from: string; text: string };
  close: undefined;
};

type Handler<T> = T extends undefined ? () => void : (payload: T) => void;
type HandlerName<K extends string> = `on${Capitalize<K>}`;
type Handlers<E> = { [K in keyof E & string as HandlerName<K>]?: Handler<E[K]> };

class TypedEmitter<E extends Record<string, unknown>> {
  private readonly handlers = new Map<keyof E, Set<Handler<any>>>();

  constructor(handlers: Handlers<E> = {}) {
    for (const [name, handler] of Object.entries(handlers) as [string, Handler<any>][]) {
      this.on((name[2]!.toLowerCase() + name.slice(3)) as keyof E, handler);
    }
  }

  on<K extends keyof E>(event: K, handler: Handler<E[K]>): () => boolean {
    const set = this.handlers.get(event) ?? new Set();
    this.handlers.set(event, set.add(handler));
    return () => set.delete(handler);
  }

  emit<K extends keyof E>(event: K, ...payload: E[K] extends undefined ? [] : [E[K]]): number {
    const set = this.handlers.get(event) ?? [];
    for (const handler of set) (handler as (...args: unknown[]) => void)(...payload);
    return [...set].length;
  }
}

const emitter = new TypedEmitter<Events>({
  onLogin: ({ user }) => console.log(`${user} is here`),
  onClose: () => console.log('closed'),
});
const off = emitter.on('message', ({ from, text }) => console.log(`${from}: ${text}`));
console.log(emitter.emit('login', { user: 'ada' }), emitter.emit('message', { from: 'ada', text: 'hello' }));
console.log(off(), emitter.emit('message', { from: 'ada', text: 'nobody listens' }), emitter.emit('close'));

interface Person {
  id: number;
  name: string;
  born: Date;
  tags?: string[];
}

type Mutable<T> = { -readonly [K in keyof T]-?: T[K] };
type KeysOf<T, V> = { [K in keyof T]-?: T[K] extends V ? K : never }[keyof T];
type Operator<T> = T extends number | Date ? '<' | '=' | '>' : '=' | 'contains';

class Query<T, Picked extends keyof T = keyof T> {
  constructor(
    private readonly rows: readonly T[],
    private readonly keys?: readonly Picked[],
  ) {}

  where<K extends keyof T>(key: K, operator: Operator<T[K]>, value: T[K]): Query<T, Picked> {
    const holds = (x: any, y: any): boolean =>
      operator === '=' ? x === y : operator === 'contains' ? x.includes(y) : operator === '<' ? x < y : x > y;
    return new Query(this.rows.filter((row) => holds(row[key], value)), this.keys);
  }

  select<K extends Picked>(...keys: K[]): Query<T, K> {
    return new Query<T, K>(this.rows, keys);
  }

  sum(key: KeysOf<T, number>): number {
    return this.rows.reduce((total, row) => total + (row[key] as number), 0);
  }

  all(): Pick<T, Picked>[] {
    return this.rows.map((row) => (this.keys ? (Object.fromEntries(this.keys.map((key) => [key, row[key]])) as Pick<T, Picked>) : { ...row }));
  }
}

const people: readonly Person[] = [
  { id: 1, name: 'Ada', born: new Date('1815-12-10') },
  { id: 2, name: 'Grace', born: new Date('1906-12-09'), tags: ['navy'] },
  { id: 3, name: 'Alan', born: new Date('1912-06-23') },
];
const query = new Query(people).where('born', '>', new Date('1900-01-01'));
console.log(query.select('name', 'id').all(), query.sum('id'), query.where('name', 'contains', 'G').all().length);
const copy: Mutable<Pick<Person, 'id' | 'tags'>> = { id: 4, tags: [] };
copy.tags.push('x');
console.log(copy satisfies object);
