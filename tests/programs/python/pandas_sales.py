"""Read, clean, group, join, pivot and resample tables with pandas."""

import io

import pandas as pd

SALES = """date,shop,item,price,count
2024-01-05,North,pen,1.50,10
2024-01-06,South,pen,1.40,
2024-01-19,North,ink,7.25,2
2024-02-01,South,ink,7.00,5
2024-02-29,North,pen,1.50,20
2024-02-29,East,cap,0.75,8
"""
SHOPS = pd.DataFrame({"shop": ["North", "South", "West"], "city": ["Oslo", "Rome", "Cork"]})

sales = pd.read_csv(io.StringIO(SALES), parse_dates=["date"])
print(
    sales.dtypes.astype(str).to_dict()["date"][:10], sales.shape, int(sales["count"].isna().sum())
)
sales = sales.fillna({"count": 0}).assign(total=lambda t: t["price"] * t["count"])

print(sales.groupby("shop")["total"].agg(["sum", "mean", "size"]).round(2).to_string())
print(
    sales.merge(SHOPS, on="shop", how="outer", indicator=True)[["shop", "city", "_merge"]]
    .drop_duplicates()
    .to_string(index=False)
)
table = sales.pivot_table(index="item", columns="shop", values="total", aggfunc="sum", fill_value=0)
print(table.to_string())
print(table.loc["pen"].idxmax(), table.stack().sort_values(ascending=False).head(2).to_dict())

monthly = sales.set_index("date")["total"].resample("MS").sum()
print(monthly.to_string(), monthly.pct_change().round(3).tolist()[1])
print(sales["item"].str.upper().value_counts().to_dict(), sales["date"].dt.day_name().tolist()[:3])
print(sales.sort_values(["item", "total"], ascending=[True, False])["total"].cumsum().tolist())
print(sales.describe()["total"].round(3).to_dict())
print(pd.cut(sales["total"], [-1, 0, 10, 100], labels=["none", "some", "much"]).tolist())
print(sales.query("price > 1 and shop != 'South'").to_json(orient="values", date_format="iso")[:60])

walk = pd.Series(range(10)).rolling(3).mean().dropna()
print(walk.tolist(), pd.date_range("2024-02-27", periods=4, freq="D").strftime("%d.%m.").tolist())
sales.to_csv("clean.csv", index=False)
