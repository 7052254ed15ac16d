// Proxies, reflection, tagged templates, symbols and other ways to bend the language.
function observed(target, log, path = '') {
  return new Proxy(target, {
    get(object, name, receiver) {
      const value = Reflect.get(object, name, receiver);
      return typeof value === 'object' && value !== null ? observed(value, log, `${path}${String(name)}.`) : value;
    },
    set(object, name, value, receiver) {
      log.push(`${path}${String(name)} = ${JSON.stringify(value)}`);
      return Reflect.set(object, name, value, receiver);
    },
    deleteProperty(object, name) {
      log.push(`delete ${path}${String(name)}`);
      return Reflect.deleteProperty(object, name);
    },
  });
}

const log = [];
const settings = observed({ theme: { dark: false }, sizes: [1] }, log);
settings.theme.dark = true;
settings.sizes.push(2);
delete settings.theme;
settings.fresh = null;
console.log(log, JSON.stringify(settings));

const negative = (array) =>
  new Proxy(array, { get: (object, name, receiver) => Reflect.get(object, /^-\d+$/.test(String(name)) ? String(object.length + Number(name)) : name, receiver) });
console.log(negative(['a', 'b', 'c'])[-1], negative([1, 2, 3]).map((x) => x * 2));

const dsl = new Proxy({}, { get: (_, tag) => (attributes = {}, ...children) => `<${tag}${Object.entries(attributes).map(([k, v]) => ` ${k}="${v}"`).join('')}>${children.join('')}</${tag}>` });
const { ul, li } = dsl;
console.log(ul({ class: 'list' }, ...['one', 'two'].map((item) => li({}, item))));

const html = (strings, ...values) => strings.raw.reduce((text, part, i) => text + String(values[i - 1]).replace(/[<&]/g, (c) => ({ '<': '&lt;', '&': '&amp;' })[c]) + part);
console.log(html`<p>${'<script> & co'}</p>\n`, String.raw`C:\new\table`);

const frozen = Object.freeze({ a: 1, nested: { b: 2 } });
try {
  'use strict';
  (function () {
    'use strict';
    frozen.a = 2;
  })();
} catch (error) {
  console.log(error.message);
}
frozen.nested.b = 3;
console.log(frozen, Reflect.ownKeys({ [Symbol('s')]: 1, b: 2, 1: 3 }), Object.getOwnPropertyDescriptor(frozen, 'a'));

const { a, ...others } = { a: 1, b: 2, c: { d: [3, 4] } };
const { c: { d: [, last = 0] }, missing = 'default' } = { c: others.c };
console.log(a, others, last, missing, [...'héllo'].length, [1, [2, [3, [4]]]].flat(Infinity), others?.x?.y?.());
let x = null;
x ??= 5;
x &&= x + 1;
x ||= 0;
console.log(x, 0 ?? 1, '' || 'empty', 2 ** 3 ** 2, [10, 9, 1].sort(), typeof null, 0.1 * 3, -0, [NaN].includes(NaN), [NaN].indexOf(NaN));
label: for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) {
  if (j === 2) continue label;
  if (i === 2) break label;
  console.log(i, j);
}
const { proxy, revoke } = Proxy.revocable({}, {});
revoke();
try {
  proxy.x;
} catch (error) {
  console.log(error.constructor.name);
}
console.log(new Function('a', 'b', 'return a + b')(1, 2), eval('[1,2].length'), (() => {}).name === '', (function named() {}).name);
