"""What is in stock."""

import csv


class Stock(dict[str, float]):
    """Prices by item."""

    @classmethod
    def from_csv(cls, text: str) -> "Stock":
        return cls((row["item"], float(row["price"])) for row in csv.DictReader(text.splitlines()))
