// What a web server's log tells, by regular expressions, read line by line.
import readline from 'node:readline';

const LINE = /^(?<host>\S+) \S+ (?<user>\S+) \[(?<day>\d{2})\/(?<month>\w{3})\/(?<year>\d{4}):(?<hour>\d{2})[^\]]*\] "(?<method>[A-Z]+) (?<path>[^ ?]+)(?:\?(?<query>\S*))? HTTP\/[\d.]+" (?<status>\d{3}) (?<bytes>\d+|-)/;

const hits = new Map();
const hours = new Map();
const errors = [];
let bytes = 0;
let bad = 0;

for await (const line of readline.createInterface({ input: process.stdin })) {
  const found = LINE.exec(line);
  if (!found) {
    bad++;
    continue;
  }
  const { path, hour, status, method, query, user } = found.groups;
  hits.set(path, (hits.get(path) ?? 0) + 1);
  hours.set(hour, (hours.get(hour) ?? 0) + 1);
  bytes += Number(found.groups.bytes) || 0;
  if (/^[45]/.test(status)) errors.push(`${status} ${method} ${path}${query ? ` (${decodeURIComponent(query)})` : ''} ${user}`);
}

console.log([...hits].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([path, n]) => `${String(n).padStart(3)} ${path}`).join('\n'));
console.log([...hours].sort().map(([hour, n]) => `${hour}h ${'#'.repeat(n)}`).join('\n'));
console.log(errors.join('\n'));
console.log(`${bytes.toLocaleString('en')} bytes, ${bad} line(s) not understood`);

const text = '2024-02-30, 1999-12-31 and 2025-01-05T10:00Z; price 1.234,50 €; müßig, naïve, ΑΒΓ 42';
console.log([...text.matchAll(/\b(\d{4})-(\d{2})-(\d{2})\b/g)].map(([, y, m, d]) => `${d}.${m}.${y}`));
console.log(text.match(/\p{Lu}+(?=\s)/gu), text.match(/(?<=price )[\d.,]+/)[0], text.match(/\p{L}+/gv).length);
console.log('camelCaseToSnake'.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
console.log('aaa'.replace(/a/y, 'b'), 'x1y22'.split(/(\d+)/), /(?<a>.)(?<b>.)\k<a>/d.exec('xyx').indices.groups.b);
