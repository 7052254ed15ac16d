"""Dataclasses, enums, properties, protocols and matching."""

from __future__ import annotations

import copy
from dataclasses import FrozenInstanceError, asdict, dataclass, field, replace
from enum import Enum, Flag, auto
from functools import total_ordering
from typing import Protocol


class Category(Enum):
    BOOK = "book"
    FOOD = "food"

    @property
    def vat(self) -> float:
        return 0.07


class Mark(Flag):
    FRAGILE = auto()
    COLD = auto()
    HEAVY = auto()


class Priced(Protocol):
    @property
    def cents(self) -> int: ...


@dataclass(frozen=True, order=True, slots=True)
class Product:
    name: str
    cents: int
    category: Category = field(compare=False)
    marks: Mark = field(default=Mark(0), compare=False)

    def __post_init__(self) -> None:
        if self.cents < 0:
            raise ValueError(f"{self.name} costs {self.cents}")


@total_ordering
@dataclass
class Basket:
    owner: str
    lines: dict[Product, int] = field(default_factory=dict)

    @property
    def cents(self) -> int:
        return sum(product.cents * count for product, count in self.lines.items())

    def add(self, product: Product, count: int = 1) -> Basket:
        self.lines[product] = self.lines.get(product, 0) + count
        return self

    def __lt__(self, other: Basket) -> bool:
        return self.cents < other.cents


def describe(thing: object) -> str:
    match thing:
        case Product(name=name, category=Category.BOOK):
            return f"the book {name}"
        case Product(name=name, cents=cents) if cents > 1000:
            return f"the dear {name}"
        case Basket(lines={**lines}) if not lines:
            return "an empty basket"
        case [first, *_, last]:
            return f"from {first} to {last}"
        case {"kind": str(kind), **rest}:
            return f"a {kind} with {sorted(rest)}"
        case int() | float():
            return "a number"
        case _:
            return "something"


def dearest(things: list[Priced]) -> Priced:
    return max(things, key=lambda thing: thing.cents)


book = Product("Dune", 999, Category.BOOK)
wine = Product("Barolo", 4200, Category.FOOD, Mark.FRAGILE | Mark.HEAVY)
basket = Basket("Ada").add(book, 2).add(wine)
other = copy.deepcopy(basket)
other.add(replace(wine, name="Chianti", cents=1200))
print(book)
print(sorted([book, wine]) == [wine, book], Mark.HEAVY in wine.marks, wine.marks)
print(basket.cents, other.cents, basket < other, basket >= other, basket == other)
print(asdict(wine)["name"], hash(book) == hash(replace(book)), dearest([book, basket]) is basket)
for thing in (book, wine, Basket("Bob"), "abc", [1, 2, 3], {"kind": "box", "b": 1, "a": 2}, 1.5):
    print("-", describe(thing))
try:
    book.cents = 1  # type: ignore[misc]
except FrozenInstanceError as error:
    print(type(error).__name__, error)
try:
    Product("air", -1, Category.FOOD)
except ValueError as error:
    print(error)
