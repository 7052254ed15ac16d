// Arguments, environment and an exit code of its own.
const { parseArgs } = require('node:util');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { times: { type: 'string', short: 'n', default: '1' }, loud: { type: 'boolean' } },
});
for (let i = 0; i < Number(values.times); i++) {
  const greeting = `${process.env.GREETING}, ${positionals.join(' and ')}`;
  console.log(values.loud ? greeting.toUpperCase() : greeting);
}
console.error('this goes elsewhere');
process.exitCode = positionals.length;
