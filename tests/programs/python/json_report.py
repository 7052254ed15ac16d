"""Read orders as JSON from stdin and write a report as JSON."""

import json
import sys
from collections import defaultdict
from decimal import Decimal
from typing import Any


class Encoder(json.JSONEncoder):
    def default(self, value: Any) -> Any:
        if isinstance(value, Decimal):
            return f"{value:.2f}"
        return super().default(value)


data = json.load(sys.stdin, parse_float=Decimal)
totals: dict[str, Decimal] = defaultdict(Decimal)
products: dict[str, int] = defaultdict(int)
for order in data["orders"]:
    for line in order["lines"]:
        totals[order["customer"]["name"]] += Decimal(line["price"]) * line["quantity"]
        products[line["sku"]] += line["quantity"]

report = {
    "customers": dict(sorted(totals.items(), key=lambda item: -item[1])),
    "products": [{"sku": sku, "sold": sold} for sku, sold in sorted(products.items())],
    "vat": data["vat"],
    "grand total": sum(totals.values(), Decimal()) * (1 + data["vat"]),
    "note": None,
    "emoji": data["note"][-1],
}
json.dump(report, sys.stdout, cls=Encoder, indent=2, ensure_ascii=False)
print()
print(json.dumps(report, cls=Encoder, sort_keys=True, separators=(",", ":"))[:60])
try:
    json.loads('{"a": [1, 2,]}')
except json.JSONDecodeError as error:
    print(f"bad JSON at line {error.lineno}, column {error.colno}")
