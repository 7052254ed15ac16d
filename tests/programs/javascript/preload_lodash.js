// lodash, required.
const _ = require('lodash');

const people = [
  { name: 'Ada', born: 1815, skills: ['maths', 'poetry'], address: { city: 'London' } },
  { name: 'Grace', born: 1906, skills: ['compilers', 'navy'], address: { city: 'New York' } },
  { name: 'Alan', born: 1912, skills: ['maths', 'running'], address: { city: 'London' } },
  { name: 'Edsger', born: 1930, skills: [], address: null },
];

console.log(_.groupBy(people, 'address.city'));
console.log(_(people).orderBy(['born'], ['desc']).map('name').value());
console.log(_.countBy(_.flatMap(people, 'skills')), _.sumBy(people, 'born'), _.meanBy(people, 'born'));
console.log(_.get(people, '[3].address.city', 'unknown'), _.at(people, '[0].name', '[1].skills[0]'));
console.log(_.chunk(_.range(10), 4), _.zipObject(['a', 'b'], [1, 2]), _.invert({ a: 'x', b: 'y' }));
console.log(_.merge({ a: { b: 1 }, list: [1, 2] }, { a: { c: 2 }, list: [3] }), _.pick(people[0], ['name', 'born']));
console.log(_.isEqual({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }), _.difference([1, 2, 3], [2]), _.xor([1, 2], [2, 3]));
console.log(['camelCase', 'kebabCase', 'snakeCase', 'startCase'].map((name) => _[name]('Hello brave newWorld')));
console.log(_.template('Dear <%= name %>, you are <%= 1950 - born %>.')(people[2]), _.truncate('a long sentence', { length: 9 }));
const slow = _.memoize((n) => (n < 2 ? n : slow(n - 1) + slow(n - 2)));
console.log(slow(80), _.curry((a, b, c) => a + b + c)(1)(2)(3), _.flow([_.add, (n) => n * n])(1, 2));
const copy = _.cloneDeep(people);
copy[0].skills.push('engines');
console.log(people[0].skills.length, copy[0].skills.length, _.uniqBy([{ x: 1 }, { x: 1 }, { x: 2 }], 'x').length);
