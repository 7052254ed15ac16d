class InsufficientFunds extends Error {}

exports.InsufficientFunds = InsufficientFunds;
exports.Bank = class {
  constructor(rates) {
    this.rates = rates;
    this.accounts = new Map();
  }

  open(owner, amount, currency = 'EUR') {
    this.accounts.set(owner, { amount, currency });
    return this;
  }

  transfer(from, to, amount) {
    const [source, target] = [from, to].map((name) => this.accounts.get(name));
    if (source.amount < amount) throw new InsufficientFunds(`${from} has ${source.amount} ${source.currency}`);
    source.amount -= amount;
    target.amount += (amount * this.rates[source.currency]) / this.rates[target.currency];
  }

  report() {
    return [...this.accounts].map(([owner, { amount, currency }]) => `${owner}: ${amount.toFixed(2)} ${currency}`);
  }
};
