"""Big integers: primes, factorials, Fibonacci, modular arithmetic, square roots."""

import math
import sys

sys.set_int_max_str_digits(0)


def is_probable_prime(n: int) -> bool:
    """Miller and Rabin's test; exact below 3.3 * 10**24 with these bases."""
    if n < 2:
        return False
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41):
        if n % base == 0:
            return n == base
        x = pow(base, odd, n)
        if x in (1, n - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def fibonacci(n: int) -> tuple[int, int]:
    """F(n) and F(n + 1), by doubling."""
    if n == 0:
        return 0, 1
    a, b = fibonacci(n // 2)
    c, d = a * (2 * b - a), a * a + b * b
    return (d, c + d) if n % 2 else (c, d)


def factor(n: int) -> list[int]:
    """Pollard's rho."""
    if n == 1:
        return []
    if is_probable_prime(n):
        return [n]
    offset = 1
    while True:
        slow = fast = 2
        divisor = 1
        while divisor == 1:
            slow = (slow * slow + offset) % n
            fast = (fast * fast + offset) % n
            fast = (fast * fast + offset) % n
            divisor = math.gcd(slow - fast, n)
        if divisor != n:
            return sorted(factor(divisor) + factor(n // divisor))
        offset += 1


print(
    "Mersenne:", [p for p in range(2, 1300) if is_probable_prime(p) and is_probable_prime(2**p - 1)]
)
print("digits of 1000!:", sum(map(int, str(math.factorial(1000)))))
f = fibonacci(100_000)[0]
print("F(100000):", len(str(f)), str(f)[:10], f % 10**10)
print("factors:", factor(600851475143), factor(2**64 + 1))
print("inverse:", pow(3, -1, 10**9 + 7), 3 * pow(3, -1, 10**9 + 7) % (10**9 + 7))
root = math.isqrt(2 * 10**200)
print("root of 2:", f"{str(root)[0]}.{str(root)[1:51]}")
print("bits:", (2**521 - 1).bit_count(), hex(3**100), -7 // 2, -7 % 2, divmod(-(10**20), 7))
