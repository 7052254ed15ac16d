# ruff: noqa: PT009, PT027 (unittest is what is shown)

import unittest

from shop import prices
from shop.stock import Stock


class PricesTest(unittest.TestCase):
    def test_many_are_cheaper(self) -> None:
        self.assertEqual(prices.total(Stock(a=1.0), "a", 10), 8.0)

    def test_unknown_item(self) -> None:
        with self.assertRaises(KeyError):
            prices.total(Stock(), "a", 1)
