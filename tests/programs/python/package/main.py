"""A program of several files: a package, a plugin, data beside it, and its own tests."""

import importlib
import pkgutil
import sys
import unittest
from importlib import resources

import shop
from shop import prices
from shop.stock import Stock

count, item = int(sys.argv[1]), sys.argv[2]
stock = Stock.from_csv(resources.files(shop).joinpath("data/stock.csv").read_text())
print(
    shop.__name__,
    shop.VERSION,
    sorted(module.name for module in pkgutil.iter_modules(shop.__path__)),
)
print(f"{count} x {item} = {prices.total(stock, item, count):.2f}")
print(prices.__package__, __name__, Stock.__module__)
for name in ("percent", "bulk"):
    discount = importlib.import_module(f"shop.discounts.{name}")
    print(name, discount.apply(100.0, 12))

with open("notes.txt", encoding="utf-8") as notes:
    print(notes.read().strip())
outcome = unittest.TestResult()
unittest.defaultTestLoader.discover("tests", pattern="check_*.py").run(outcome)
print(outcome.testsRun, "checked,", len(outcome.failures) + len(outcome.errors), "wrong")
