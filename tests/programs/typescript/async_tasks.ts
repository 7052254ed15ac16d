// Typed promises: a limiter, retries, timeouts, async iteration, a mutex and disposal.
import { setTimeout as sleep } from 'node:timers/promises';

type Task<T> = () => Promise<T>;
type Awaitable<T> = T | PromiseLike<T>;

class Limiter {
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  most = 0;

  constructor(private readonly limit: number) {}

  async run<T>(task: Task<T>): Promise<T> {
    if (this.running >= this.limit) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.most = Math.max(this.most, ++this.running);
    try {
      return await task();
    } finally {
      this.running--;
      this.waiting.shift()?.();
    }
  }
}

class TimedOut extends Error {}

async function withTimeout<T>(task: Awaitable<T>, ms: number): Promise<T> {
  const timer = new AbortController();
  const late = sleep(ms, undefined, { signal: timer.signal }).then(() => {
    throw new TimedOut(`after ${ms} ms`);
  });
  try {
    return await Promise.race([task, late]);
  } finally {
    late.catch(() => {});
    timer.abort();
  }
}

async function retry<T>(task: (attempt: number) => Awaitable<T>, attempts: number): Promise<T> {
  const errors: unknown[] = [];
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      return await task(attempt);
    } catch (error) {
      errors.push(error);
    }
  }
  throw new AggregateError(errors, `failed ${attempts} times`);
}

async function* ticker<const T extends readonly unknown[]>(values: T): AsyncGenerator<T[number], number, void> {
  for (const value of values) {
    await sleep(1);
    yield value;
  }
  return values.length;
}

async function all<T extends Record<string, Promise<unknown>>>(tasks: T): Promise<{ [K in keyof T]: Awaited<T[K]> }> {
  return Object.fromEntries(await Promise.all(Object.entries(tasks).map(async ([key, task]) => [key, await task]))) as { [K in keyof T]: Awaited<T[K]> };
}

class Resource implements AsyncDisposable {
  constructor(private readonly name: string) {
    console.log(`${name} opened`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await sleep(1);
    console.log(`${this.name} closed`);
  }
}

const limiter = new Limiter(2);
const order: number[] = [];
const gate = Promise.withResolvers<void>();
const jobs: Task<void>[] = [() => gate.promise, () => sleep(1), () => sleep(1), async () => gate.resolve()];
const results = await Promise.all(jobs.map((job, i) => limiter.run(async () => (await job(), order.push(i), i * i))));
console.log(results, limiter.most, order);

console.log(await retry((attempt) => (attempt < 3 ? Promise.reject(new Error(`no ${attempt}`)) : `worked at ${attempt}`), 5));
const failure = await retry(() => { throw new Error('never'); }, 2).catch((error: AggregateError) => error);
console.log(failure instanceof AggregateError && [failure.message, failure.errors.length]);
console.log(await withTimeout(Promise.resolve('in time'), 1000), await withTimeout(sleep(5000, 'late', { ref: false }), 5).catch((error: unknown) => error instanceof TimedOut && error.message));

const ticks: (number | string)[] = [];
for await (const tick of ticker([1, 'two', 3])) ticks.push(tick);
console.log(ticks);
const { user, count } = await all({ user: sleep(1, { name: 'ada' }), count: Promise.resolve(3) });
console.log(user.name.toUpperCase(), count.toFixed(1));

{
  await using first = new Resource('first');
  await using second = new Resource('second');
  console.log('using', first !== second);
}
