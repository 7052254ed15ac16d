// A million pseudo-random numbers, sorted four ways that must agree.
const COUNT = 1_000_000;

function* lcg(seed) {
  let state = seed >>> 0;
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state;
  }
}

const numbers = new Uint32Array(COUNT);
const random = lcg(42);
for (let i = 0; i < COUNT; i++) {
  numbers[i] = random.next().value;
}

function radixSort(source) {
  let from = Uint32Array.from(source);
  let to = new Uint32Array(from.length);
  for (let shift = 0; shift < 32; shift += 8) {
    const starts = new Uint32Array(257);
    for (const value of from) starts[((value >>> shift) & 255) + 1]++;
    for (let i = 1; i < 257; i++) starts[i] += starts[i - 1];
    for (const value of from) to[starts[(value >>> shift) & 255]++] = value;
    [from, to] = [to, from];
  }
  return from;
}

function mergeSort(source) {
  let from = Uint32Array.from(source);
  let to = new Uint32Array(from.length);
  for (let width = 1; width < from.length; width *= 2) {
    for (let low = 0; low < from.length; low += 2 * width) {
      const middle = Math.min(low + width, from.length);
      const high = Math.min(low + 2 * width, from.length);
      let left = low;
      let right = middle;
      for (let i = low; i < high; i++) {
        to[i] = left < middle && (right >= high || from[left] <= from[right]) ? from[left++] : from[right++];
      }
    }
    [from, to] = [to, from];
  }
  return from;
}

const results = [
  numbers.toSorted(),
  Array.from(numbers).sort((a, b) => a - b),
  radixSort(numbers),
  mergeSort(numbers),
];

const checksum = (sorted) => {
  let sum = 0n;
  for (let i = 0; i < COUNT; i += 1000) sum += BigInt(sorted[i]) * BigInt(i + 1);
  return sum;
};

const [first] = results;
console.log('least', first[0], 'median', first[COUNT / 2], 'greatest', first[COUNT - 1]);
console.log('checksums', new Set(results.map(checksum)).size, checksum(first).toString());
console.log('in order', first.every((value, i) => i === 0 || first[i - 1] <= value));
console.log('distinct', new Set(numbers).size);
