"""Read a CSV file from stdin, and write a summary as CSV."""

import csv
import io
import statistics
import sys

rows = list(csv.DictReader(sys.stdin))
writer = csv.DictWriter(
    sys.stdout, ["city", "days", "mean", "stdev", "warmest"], lineterminator="\n"
)
writer.writeheader()
for city in sorted({row["city"] for row in rows}):
    values = {row["day"]: float(row["celsius"]) for row in rows if row["city"] == city}
    writer.writerow(
        {
            "city": city,
            "days": len(values),
            "mean": f"{statistics.fmean(values.values()):.2f}",
            "stdev": f"{statistics.stdev(values.values()):.2f}",
            "warmest": max(values, key=lambda day: values[day]),
        }
    )

celsius = [float(row["celsius"]) for row in rows]
print("median", statistics.median(celsius), "quartiles", statistics.quantiles(celsius, n=4))
print("mode", statistics.mode(row["note"] for row in rows))
slope, intercept = statistics.linear_regression(range(len(celsius)), celsius)
print(f"trend {slope:+.3f} {intercept:.3f}")

buffer = io.StringIO()
csv.writer(buffer, quoting=csv.QUOTE_ALL, delimiter=";").writerow(['say "hi"', "a;b", None, 1.5])
print(repr(buffer.getvalue()), next(csv.reader([buffer.getvalue()], delimiter=";")))
print(csv.Sniffer().sniff("a|b|c\n1|2|3\n").delimiter)
