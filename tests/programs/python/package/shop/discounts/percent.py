from .. import VERSION

RATE = 0.95 if VERSION.startswith("1.") else 1.0


def apply(price: float, count: int) -> float:
    return round(price * RATE, 2)
