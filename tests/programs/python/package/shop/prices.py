"""What things cost."""

from .discounts import best
from .stock import Stock


def total(stock: Stock, item: str, count: int) -> float:
    return best(stock[item] * count, count)
