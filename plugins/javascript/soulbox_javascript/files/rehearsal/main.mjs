// What a small ES module touches.

import { readFile } from 'node:fs/promises';
import readline from 'node:readline';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

const total = await Promise.all([1, 2].map(async (number) => number * 2));
await sleep(0);
await readFile('/dev/null', 'utf8');
for await (const line of readline.createInterface({ input: Readable.from(['1 2\n3\n']) })) {
  total.push(...line.split(' '));
}
await Promise.allSettled([Promise.reject(new Error('none')), import('node:os')]);
export default total;
