// Primes counted by four threads that share memory, and messages between them.
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const LIMIT = 400_000;
const WORKERS = 4;

function countPrimes(from, to) {
  let count = 0;
  for (let n = Math.max(from, 2); n < to; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) {
      if (n % d === 0) {
        prime = false;
        break;
      }
    }
    if (prime) count++;
  }
  return count;
}

async function main() {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const size = LIMIT / WORKERS;
  const parts = Array.from({ length: WORKERS }, (_, i) => {
    const worker = new Worker(__filename, { workerData: { from: i * size, to: (i + 1) * size, shared } });
    return new Promise((resolve, reject) => {
      let counted;
      worker.on('message', (message) => {
        counted = message;
      });
      worker.on('error', reject);
      worker.on('exit', (code) => resolve({ ...counted, code }));
    });
  });
  for (const { from, primes, code, buffer } of await Promise.all(parts)) {
    console.log(`${from}: ${primes} primes, exit code ${code}, ${new Uint8Array(buffer)[0]}`);
  }
  console.log('together', Atomics.load(shared, 0), 'by', Atomics.load(shared, 1), 'threads');

  const failing = new Worker('throw new TypeError("in a thread")', { eval: true });
  const error = await new Promise((resolve) => failing.once('error', resolve));
  console.log(error instanceof TypeError, error.message);
}

if (isMainThread) {
  main();
} else {
  const { from, to, shared } = workerData;
  const primes = countPrimes(from, to);
  Atomics.add(shared, 0, primes);
  Atomics.add(shared, 1, 1);
  const buffer = new Uint8Array([7]).buffer;
  parentPort.postMessage({ from, primes, buffer }, [buffer]);
}
