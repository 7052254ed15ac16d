"""A spreadsheet and a YAML file, written and read again."""

import datetime

import openpyxl
import yaml
from openpyxl.chart import BarChart, Reference
from openpyxl.styles import Font
from tabulate import tabulate

ROWS = [("Ann", 3, 4.5), ("Bo", 10, 0.25), ("Cleo", 7, 12.0)]

book = openpyxl.Workbook()
sheet = book.active
sheet.title = "Hours"
sheet.append(["name", "hours", "rate", "pay"])
for index, row in enumerate(ROWS, 2):
    sheet.append([*row, f"=B{index}*C{index}"])
for cell in sheet[1]:
    cell.font = Font(bold=True)
sheet["F1"] = datetime.date(2024, 2, 29)
chart = BarChart()
chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=4), titles_from_data=True)
sheet.add_chart(chart, "F3")
book.create_sheet("Notes")["A1"] = "Grüße"
book.save("hours.xlsx")

again = openpyxl.load_workbook("hours.xlsx")
print(again.sheetnames, again["Hours"].dimensions, again["Hours"]["D3"].value)
print([cell.value for cell in again["Hours"]["B"]], again["Hours"]["A1"].font.bold)
print(again["Hours"]["F1"].value.isoformat(), again["Notes"]["A1"].value)

text = yaml.safe_dump(
    {"rows": [list(row) for row in ROWS], "total": sum(r[1] * r[2] for r in ROWS)}
)
print(text, end="")
print(yaml.safe_load(text)["rows"][0], yaml.safe_load("on: [yes, 1_000, ~, 2024-02-29]"))
print(tabulate(ROWS, headers=["name", "hours", "rate"], tablefmt="github", floatfmt=".2f"))
