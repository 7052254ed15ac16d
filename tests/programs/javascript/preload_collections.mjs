// immutable, rxjs, decimal.js, yaml, papaparse, uuid and nanoid together.
import { Decimal } from 'decimal.js';
import { List, Map as IMap, Range, Record } from 'immutable';
import { nanoid } from 'nanoid';
import Papa from 'papaparse';
import { concatMap, filter, firstValueFrom, from, map, reduce, scan, take, timer, toArray } from 'rxjs';
import { v4, v5, validate } from 'uuid';
import YAML from 'yaml';

const state = IMap({ user: IMap({ name: 'Ada', visits: 1 }), tags: List(['a']) });
const next = state.updateIn(['user', 'visits'], (n) => n + 1).update('tags', (tags) => tags.push('b'));
console.log(state.toJS(), next.toJS(), state.get('user') === next.get('user'), IMap({ a: 1 }).equals(IMap({ a: 1 })));
const Point = Record({ x: 0, y: 0 });
console.log(Range(1, Infinity).filter((n) => n % 7 === 0).take(3).toArray(), new Point({ x: 3 }).toJS());

console.log(await firstValueFrom(from([1, 2, 3, 4, 5]).pipe(filter((n) => n % 2), map((n) => n * n), scan((a, b) => a + b), toArray())));
console.log(await firstValueFrom(timer(0, 1).pipe(take(3), concatMap(async (n) => `#${n}`), reduce((a, b) => a + b, ''))));

console.log(0.1 + 0.2, new Decimal('0.1').plus('0.2').toString(), new Decimal(2).sqrt().toDP(40).toString());
Decimal.set({ precision: 60 });
console.log(Decimal.exp(1).toString(), new Decimal('1e-50').times('3.5e25').toFixed());

const config = YAML.parse('server: &defaults\n  port: 8080\n  hosts: [a, b]\ncopy:\n  <<: *defaults\n  debug: yes\n', { merge: true });
console.log(config, YAML.stringify({ list: [1, { deep: true }], text: 'two\nlines' }));

const { data, meta } = Papa.parse('name,quote,n\nAda,"said ""hi"", once",1\n"B, C",,2\n', { header: true, dynamicTyping: true, skipEmptyLines: true });
console.log(data, meta.fields, JSON.stringify(Papa.unparse([{ a: 1, b: 'x,y' }])));

console.log(validate(v4()), v4() !== v4(), v5('soulbox', v5.URL), nanoid().length, nanoid() !== nanoid());
