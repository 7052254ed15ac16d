"""Discounts, each a module with `apply`."""

from . import bulk, percent


def best(price: float, count: int) -> float:
    return min(bulk.apply(price, count), percent.apply(price, count))
