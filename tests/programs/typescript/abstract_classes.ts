// Abstract classes, overriding, interfaces merged from several places, and overloads.
abstract class Account {
  private static next = 1000;
  readonly id: number;
  #history: Entry[] = [];
  declare protected marker?: never;

  protected constructor(
    readonly owner: string,
    protected cents: number,
  ) {
    this.id = Account.next++;
  }

  abstract get interest(): number;
  protected abstract mayWithdraw(cents: number): boolean;

  deposit(cents: number): void {
    this.cents += cents;
    this.#history.push({ kind: 'deposit', cents });
  }

  withdraw(cents: number): void {
    if (!this.mayWithdraw(cents)) throw new Refused(this, cents);
    this.cents -= cents;
    this.#history.push({ kind: 'withdrawal', cents });
  }

  addInterest(): void {
    this.deposit(Math.round(this.cents * this.interest));
  }

  get history(): readonly Readonly<Entry>[] {
    return this.#history;
  }

  toString(this: Account): string {
    return `${this.constructor.name} #${this.id} of ${this.owner}: ${(this.cents / 100).toFixed(2)}`;
  }
}

interface Entry {
  kind: 'deposit' | 'withdrawal';
}

interface Entry {
  cents: number;
}

class Savings extends Account {
  constructor(
    owner: string,
    cents: number,
    override readonly interest: number = 0.02,
  ) {
    super(owner, cents);
  }

  protected override mayWithdraw(cents: number): boolean {
    return cents <= this.cents;
  }
}

class Checking extends Account {
  private readonly overdraft: number;

  constructor(owner: string, cents: number, overdraft = 100_00) {
    super(owner, cents);
    this.overdraft = overdraft;
  }

  get interest(): number {
    return this.cents < 0 ? 0.1 : 0;
  }

  protected mayWithdraw(cents: number): boolean {
    return cents <= this.cents + this.overdraft;
  }
}

class Refused extends Error {
  constructor(
    readonly account: Account,
    readonly cents: number,
  ) {
    super(`${account.owner} may not withdraw ${cents / 100}`);
    this.name = new.target.name;
  }
}

function open(owner: string): Checking;
function open(owner: string, interest: number): Savings;
function open(owner: string, interest?: number): Account {
  return interest === undefined ? new Checking(owner, 0) : new Savings(owner, 0, interest);
}

const accounts: Account[] = [open('Ada'), open('Grace', 0.05), new Savings('Alan', 500_00)];
for (const [index, account] of accounts.entries()) {
  account.deposit((index + 1) * 100_00);
  for (const amount of [50_00, 175_00]) {
    try {
      account.withdraw(amount);
    } catch (error: unknown) {
      if (error instanceof Refused) console.log(`${error.name}: ${error.message}, from #${error.account.id}`);
      else throw error;
    }
  }
  account.addInterest();
  console.log(String(account), account.history.map(({ kind, cents }) => `${kind[0]}${cents}`));
}
