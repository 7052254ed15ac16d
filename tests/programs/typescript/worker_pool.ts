// A pool of worker threads with typed requests; the workers run this very file.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

interface Operations {
  primes: { input: { from: number; to: number }; output: number };
  mandelbrot: { input: { row: number; size: number }; output: string };
  fail: { input: string; output: never };
}
type Name = keyof Operations;
type Request = { [N in Name]: { id: number; name: N; input: Operations[N]['input'] } }[Name];
type Response = { id: number; output: unknown } | { id: number; error: string };

class Pool implements AsyncDisposable {
  private readonly workers: Worker[];
  private readonly pending = new Map<number, PromiseWithResolvers<any>>();
  private sent = 0;

  constructor(size: number) {
    this.workers = Array.from({ length: size }, () => {
      const worker = new Worker(new URL(import.meta.url));
      worker.on('message', (response: Response) => {
        const { resolve, reject } = this.pending.get(response.id)!;
        if ('error' in response) reject(new Error(response.error));
        else resolve(response.output);
      });
      return worker;
    });
  }

  call<N extends Name>(name: N, input: Operations[N]['input']): Promise<Operations[N]['output']> {
    const id = this.sent++;
    const deferred = Promise.withResolvers<Operations[N]['output']>();
    this.pending.set(id, deferred);
    this.workers[id % this.workers.length]!.postMessage({ id, name, input } as Request);
    return deferred.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    console.log('exit codes', await Promise.all(this.workers.map((worker) => worker.terminate())));
  }
}

const operations: { [N in Name]: (input: Operations[N]['input']) => Operations[N]['output'] } = {
  primes({ from, to }) {
    let count = 0;
    outer: for (let n = Math.max(2, from); n < to; n++) {
      for (let d = 2; d * d <= n; d++) if (n % d === 0) continue outer;
      count++;
    }
    return count;
  },
  mandelbrot({ row, size }) {
    const y0 = (row / size) * 2.4 - 1.2;
    return Array.from({ length: size * 2 }, (_, column) => {
      const x0 = (column / size / 2) * 3 - 2.2;
      let [x, y, steps] = [0, 0, 0];
      while (x * x + y * y < 4 && steps < 60) [x, y, steps] = [x * x - y * y + x0, 2 * x * y + y0, steps + 1];
      return ' .:-=+*#%@'[Math.floor((steps / 60) * 9)];
    }).join('').trimEnd();
  },
  fail(reason) {
    throw new RangeError(reason);
  },
};

if (isMainThread) {
  await using pool = new Pool(3);
  const counts = await Promise.all(Array.from({ length: 6 }, (_, i) => pool.call('primes', { from: i * 25_000, to: (i + 1) * 25_000 })));
  console.log(counts, counts.reduce((a, b) => a + b));
  const picture = await Promise.all(Array.from({ length: 13 }, (_, row) => pool.call('mandelbrot', { row, size: 24 })));
  console.log(picture.join('\n'));
  console.log(await pool.call('fail', 'no such thing').catch((error: Error) => error.message));
} else {
  parentPort!.on('message', ({ id, name, input }: Request) => {
    let response: Response;
    try {
      response = { id, output: (operations[name] as (input: unknown) => unknown)(input) };
    } catch (error) {
      response = { id, error: String(error) };
    }
    parentPort!.postMessage(response);
  });
}
