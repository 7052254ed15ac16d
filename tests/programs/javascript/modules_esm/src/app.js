import * as shapes from './shapes.js';
import defaultArea, { area as renamed } from './shapes.js';
import { area } from 'library/shapes';
import { pad } from '#util/text';
import data from './data.json' with { type: 'json' };
import legacy from './legacy.cjs';
import { count, increment } from './counter.js';

console.log(Object.keys(shapes), defaultArea === renamed, area === renamed);
for (const shape of data) console.log(pad(shape.kind), area(shape).toFixed(3));
increment();
console.log('live binding', count, legacy.kind, legacy.again);
const { default: lazy } = await import(`./util/${'lazy'}.js`);
console.log(lazy(), import.meta.url.endsWith('/src/app.js'), import.meta.dirname === import.meta.filename.replace(/\/app\.js$/, ''));
console.log(await import('./nothing.js').catch((error) => error.code), typeof require, this);
console.log(import.meta.resolve('./shapes.js').split('/').at(-1), import.meta.main);
