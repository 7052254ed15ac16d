// Counts words of a text, as people do it with readline.
const readline = require('node:readline');

const words = new Map();
let lines = 0;
let characters = 0;
let longest = '';

const input = readline.createInterface({ input: process.stdin, crlfDelay: Infinity });
input.on('line', (line) => {
  lines++;
  characters += [...line].length;
  for (const [word] of line.toLowerCase().matchAll(/[\p{L}’']+/gu)) {
    words.set(word, (words.get(word) ?? 0) + 1);
    if (word.length > longest.length) longest = word;
  }
});
input.on('close', () => {
  const total = [...words.values()].reduce((sum, count) => sum + count, 0);
  console.log(`${lines} lines, ${total} words, ${words.size} of them different, ${characters} characters`);
  const top = [...words].sort(([a, x], [b, y]) => y - x || a.localeCompare(b)).slice(0, 8);
  const width = Math.max(...top.map(([word]) => word.length));
  for (const [word, count] of top) {
    console.log(`${word.padEnd(width)} ${'▇'.repeat(count)} ${count} (${((100 * count) / total).toFixed(1)} %)`);
  }
  console.log(`longest: ${longest}; palindromes: ${[...words.keys()].filter((w) => w.length > 2 && w === [...w].reverse().join('')).sort()}`);
  const initials = Map.groupBy(words.keys(), (word) => word[0].normalize('NFD')[0]);
  console.log([...initials].sort().map(([initial, group]) => `${initial}${group.length}`).join(' '));
});
