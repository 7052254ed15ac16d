// Reads orders as JSON from stdin and prints a report, as JSON again.
const fs = require('node:fs');

const { orders, customers } = JSON.parse(fs.readFileSync(0, 'utf8'));
const names = new Map(customers.map(({ id, name }) => [id, name]));
const cents = ({ lines }) => lines.reduce((sum, { price, count }) => sum + Math.round(price * 100) * count, 0);

const perCustomer = Object.groupBy(orders, ({ customer }) => customer);
const report = Object.entries(perCustomer)
  .map(([id, theirs]) => ({
    customer: names.get(Number(id)) ?? `unknown (${id})`,
    orders: theirs.length,
    total: theirs.reduce((sum, order) => sum + cents(order), 0) / 100,
    largest: theirs.toSorted((a, b) => cents(b) - cents(a))[0].id,
    articles: [...new Set(theirs.flatMap(({ lines }) => lines.map(({ article }) => article)))].sort(),
  }))
  .sort((a, b) => b.total - a.total);

console.log(JSON.stringify(report, null, 2));
console.log(JSON.stringify({ total: report.reduce((sum, { total }) => sum + total, 0).toFixed(2) }));
console.log(JSON.stringify(orders, (key, value) => (key === 'lines' ? value.length : value)));
