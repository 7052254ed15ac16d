'use strict';
// What a small CommonJS program touches.

const fs = require('node:fs');
const readline = require('node:readline');
const { Readable } = require('node:stream');
const { format, inspect } = require('node:util');

class Rehearsal extends Map {
  static #count = 0;

  *words() {
    yield* this.keys();
  }

  get count() {
    return Rehearsal.#count++;
  }
}

const rehearsal = new Rehearsal([['hello', 1n], ['world', [1.5, null, undefined]]]);
format('%s %d %j %o', 'text', rehearsal.count, { a: [1, 2] }, { b: new Set([1]) });
inspect({ rehearsal, words: [...rehearsal.words()], date: new Date(0), error: new Error('none') });
JSON.stringify(JSON.parse('{"a": [1, 2.5, "three", {"b": null}]}'), null, 2);
fs.readFileSync('/dev/null', 'utf8').trim().split('\n').map(Number).sort((a, b) => a - b);
'one two  three'.match(/(?<word>\w+)\s+\w+/u)?.groups.word.padStart(8).replaceAll('o', '0');
try {
  null.missing;
} catch (error) {
  String(error.stack);
}
const lines = readline.createInterface({ input: Readable.from(['1 2\n3\n']) });
lines.on('line', (line) => line.split(' '));
setImmediate(() => queueMicrotask(() => {}));
