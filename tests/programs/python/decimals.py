"""Money, exact fractions, and digits of pi and e."""

from decimal import (
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Decimal,
    DivisionByZero,
    getcontext,
    localcontext,
)
from fractions import Fraction
from math import comb


def loan(amount: Decimal, rate: Decimal, months: int) -> tuple[Decimal, Decimal]:
    """The monthly payment and what is paid in all, in cents."""
    cent = Decimal("0.01")
    monthly = rate / 12
    payment = (amount * monthly / (1 - (1 + monthly) ** -months)).quantize(cent, ROUND_HALF_UP)
    left, paid = amount, Decimal(0)
    while left > 0:
        left += (left * monthly).quantize(cent, ROUND_HALF_EVEN)
        now = min(payment, left)
        left, paid = left - now, paid + now
    return payment, paid


def pi(digits: int) -> Decimal:
    """By Machin's formula."""

    def arctan_of_inverse(n: int) -> Decimal:
        power, total, k = Decimal(1) / n, Decimal(0), 0
        while abs(power) > Decimal(10) ** -(digits + 5):
            total += power / (2 * k + 1)
            power /= -n * n
            k += 1
        return total

    with localcontext() as context:
        context.prec = digits + 10
        value = 4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239))
        context.prec = digits
        return +value


def bernoulli(n: int) -> Fraction:
    values: list[Fraction] = []
    for m in range(n + 1):
        values.append(
            (m == 0) - sum((comb(m, k) * values[k] / (m - k + 1) for k in range(m)), Fraction())
        )
    return values[n]


print(0.1 + 0.2 == 0.3, Decimal("0.1") + Decimal("0.2") == Decimal("0.3"))
print(*loan(Decimal(250_000), Decimal("0.0395"), 360))
print(pi(100))
getcontext().prec = 60
print(Decimal(1).exp(), Decimal(2).sqrt(), Decimal(2).ln(), sep="\n")
print(
    Fraction(0.75),
    sum(Fraction(1, n) for n in range(1, 21)),
    Fraction("3.14159").limit_denominator(1000),
)
print([str(bernoulli(n)) for n in (1, 2, 4, 12, 30)])
print(
    [str(Decimal(x).quantize(Decimal(1), ROUND_HALF_EVEN)) for x in ("0.5", "1.5", "2.5", "-0.5")]
)
try:
    Decimal(1) / 0
except DivisionByZero as error:
    print(type(error).__name__, Decimal("NaN") == Decimal("NaN"), Decimal("-Infinity"))
