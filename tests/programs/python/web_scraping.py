"""Take a page apart with Beautiful Soup and lxml, and fill one with Jinja."""

import re

import jinja2
from bs4 import BeautifulSoup
from lxml import etree, html

PAGE = jinja2.Template(
    """<html><head><title>{{ title }}</title></head><body>
{% for book in books if book.price < 50 %}
<article class="book{{ ' sale' if loop.first }}" data-id="{{ loop.index }}">
  <h2><a href="/books/{{ book.title | lower | replace(' ', '-') }}">{{ book.title | e }}</a></h2>
  <p class=price>{{ '%.2f' | format(book.price) }} €<br>in stock
</article>
{% else %}<p>none</p>{% endfor %}
<table><tr><th>a<th>b<tr><td>1<td>2<tr><td>3<td>4</table></body></html>"""
)
page = PAGE.render(
    title="Books & more",
    books=[
        {"title": "Dune", "price": 9.5},
        {"title": "Sand <&> Sea", "price": 20},
        {"title": "Gold", "price": 99},
    ],
)

soup = BeautifulSoup(page, "lxml")
print(
    soup.title.string,
    "|",
    len(soup.find_all("article")),
    soup.select_one("article.sale")["data-id"],
)
for link in soup.select("article h2 > a[href^='/books']"):
    price = link.find_parent("article").find(class_="price").get_text(" ", strip=True)
    print(link.text, link["href"], re.search(r"[\d.]+", price)[0])
print([[cell.text for cell in row.find_all(["th", "td"])] for row in soup.table.find_all("tr")])
soup.table.decompose()
soup.h2.a.string.replace_with("Dune, again")
print(soup.h2, soup.find("table"))

tree = html.fromstring(page)
print(tree.xpath("//td/text()"), tree.xpath("sum(//td)"), tree.xpath("//article[2]/@data-id"))
root = etree.Element("books", count="2")
for article in tree.xpath("//article"):
    etree.SubElement(root, "book", id=article.get("data-id")).text = article.xpath("string(h2)")
print(etree.tostring(root, pretty_print=True, encoding="unicode"), end="")
