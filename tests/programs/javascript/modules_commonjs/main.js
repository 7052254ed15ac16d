const path = require('path');
const { Bank, InsufficientFunds } = require('./lib/bank');
const rates = require('./lib/rates.json');

const bank = new Bank(rates);
bank.open('ada', 100).open('bob', 5, 'USD');
bank.transfer('ada', 'bob', 40);
try {
  bank.transfer('bob', 'ada', 1000);
} catch (error) {
  console.log(error instanceof InsufficientFunds, error.message);
}
console.log(bank.report());
console.log(path.relative(process.cwd(), __filename), path.basename(__dirname), require.main === module, module.children.length);
console.log(Object.keys(require.cache).filter((file) => file.startsWith(__dirname)).map((file) => path.relative(__dirname, file)));
console.log(require('./lib/bank') === require('./lib/bank.js'), require('./lib/cycle_a').seen);
