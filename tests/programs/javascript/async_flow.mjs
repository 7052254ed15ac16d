// Top-level await, promises of all kinds, async generators, cancelling, and the order of it all.
import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter, once, on } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const log = [];
setTimeout(() => log.push('timeout'), 0);
process.nextTick(() => log.push('tick'));
queueMicrotask(() => log.push('microtask'));
Promise.resolve().then(() => log.push('then'));
log.push('sync');
await sleep(20);
console.log(log.join(' '));

async function* numbers(limit) {
  for (let i = 1; i <= limit; i++) {
    await null;
    yield i;
  }
}
const squares = [];
for await (const n of numbers(5)) squares.push(n * n);
console.log(squares, await Array.fromAsync(numbers(3), (n) => n * 10));

const settled = await Promise.allSettled([1, Promise.reject(new Error('no')), sleep(2, 'late')]);
console.log(settled.map(({ status, value, reason }) => `${status}: ${value ?? reason.message}`));
console.log(await Promise.race([sleep(300, 'slow', { ref: false }), sleep(1, 'fast')]));
console.log(await Promise.any([Promise.reject(1), sleep(1, 'any')]));
console.log((await Promise.any([Promise.reject(1), Promise.reject(2)]).catch((error) => error)).errors);

async function pool(limit, jobs) {
  const results = [];
  let next = 0;
  let running = 0;
  let most = 0;
  const lane = async () => {
    while (next < jobs.length) {
      const index = next++;
      most = Math.max(most, ++running);
      results[index] = await jobs[index]();
      running--;
    }
  };
  await Promise.all(Array.from({ length: limit }, lane));
  return { results, most };
}
console.log(await pool(3, Array.from({ length: 7 }, (_, i) => async () => sleep(7 - i, i ** 2))));

const controller = new AbortController();
const cancelled = sleep(5000, null, { signal: controller.signal }).catch((error) => error.name);
controller.abort();
console.log(await cancelled);

const emitter = new EventEmitter();
setImmediate(() => emitter.emit('ready', 'set', 'go'));
console.log(await once(emitter, 'ready'));
const seen = [];
setImmediate(() => [1, 2, 3].forEach((n) => emitter.emit('data', n)));
for await (const [n] of on(emitter, 'data')) {
  seen.push(n);
  if (n === 3) break;
}
console.log(seen);

const storage = new AsyncLocalStorage();
console.log(await Promise.all(['a', 'b'].map((id) => storage.run(id, async () => `${await sleep(1, id)}${storage.getStore()}`))));
const { promise, resolve } = Promise.withResolvers();
setTimeout(resolve, 1, 'resolved from outside');
console.log(await promise);
