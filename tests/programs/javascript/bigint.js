// Whole numbers of any size.
const factorial = (n) => (n < 2n ? 1n : n * factorial(n - 1n));

function fibonacci(n) {
  let [a, b] = [0n, 1n];
  for (const bit of n.toString(2)) {
    [a, b] = [a * (2n * b - a), a * a + b * b];
    if (bit === '1') [a, b] = [b, a + b];
  }
  return a;
}

function power(base, exponent, modulus) {
  let result = 1n;
  for (base %= modulus; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % modulus;
    base = (base * base) % modulus;
  }
  return result;
}

function isPrime(n) {
  for (const p of [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n]) {
    if (n % p === 0n) return n === p;
    let d = n - 1n;
    let r = 0;
    for (; d % 2n === 0n; d /= 2n) r++;
    let x = power(p, d, n);
    let composite = x !== 1n && x !== n - 1n;
    for (let i = 1; i < r && composite; i++) {
      x = (x * x) % n;
      composite = x !== n - 1n;
    }
    if (composite) return false;
  }
  return true;
}

function root(n) {
  let x = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const y = (x + n / x) >> 1n;
    if (y >= x) return x;
    x = y;
  }
}

function pi(digits) {
  let [q, r, t, k, n, l] = [1n, 0n, 1n, 1n, 3n, 3n];
  let text = '';
  while (text.length < digits) {
    if (4n * q + r - t < n * t) {
      text += n;
      [q, r, n] = [10n * q, 10n * (r - n * t), (10n * (3n * q + r)) / t - 10n * n];
    } else {
      [q, r, t, k, n, l] = [q * k, (2n * q + r) * l, t * l, k + 1n, (q * (7n * k + 2n) + r * l) / (t * l), l + 2n];
    }
  }
  return `${text[0]}.${text.slice(1)}`;
}

console.log(factorial(60n));
console.log(factorial(500n).toString().length, [...factorial(500n).toString()].reduce((sum, digit) => sum + +digit, 0));
console.log(fibonacci(300));
console.log(fibonacci(10000).toString().length, fibonacci(10000) % 1_000_000_007n);
console.log(power(3n, 10n ** 30n, 998244353n), isPrime(2n ** 127n - 1n), isPrime(2n ** 67n - 1n));
console.log(root(2n * 10n ** 100n).toString());
console.log(pi(120));
console.log(BigInt.asUintN(64, -1n), BigInt.asIntN(8, 200n), -7n / 2n, -7n % 2n, 0xffn, BigInt('0b1011'));
console.log(typeof 1n, 1n == 1, 1n < 1.5, [3n, 1, 2n].sort().join(), (255n).toString(16), 2n ** 64n);
try {
  console.log(1n + 1);
} catch (error) {
  console.log(error.name, error.message);
}
