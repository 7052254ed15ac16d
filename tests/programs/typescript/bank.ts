// A bank that takes commands from stdin: branded types, readonly state, typed errors.
import { readFileSync } from 'node:fs';

declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };
type AccountId = Brand<string, 'AccountId'>;
type Cents = Brand<number, 'Cents'>;

type Command =
  | { readonly type: 'open'; readonly id: AccountId }
  | { readonly type: 'deposit' | 'withdraw'; readonly id: AccountId; readonly amount: Cents }
  | { readonly type: 'transfer'; readonly from: AccountId; readonly to: AccountId; readonly amount: Cents };

interface State {
  readonly balances: ReadonlyMap<AccountId, Cents>;
  readonly log: readonly string[];
}

const cents = (text: string): Cents => {
  if (!/^\d+(\.\d\d)?$/.test(text)) throw new SyntaxError(`'${text}' is no amount`);
  return Math.round(Number(text) * 100) as Cents;
};
const money = (amount: Cents): string => (amount / 100).toFixed(2);
const add = (a: Cents, b: number): Cents => (a + b) as Cents;

function parse(line: string): Command {
  const [type, ...words] = line.split(/\s+/);
  switch (type) {
    case 'open':
      return { type, id: words[0] as AccountId };
    case 'deposit':
    case 'withdraw':
      return { type, id: words[0] as AccountId, amount: cents(words[1] ?? '') };
    case 'transfer':
      return { type, from: words[0] as AccountId, to: words[1] as AccountId, amount: cents(words[2] ?? '') };
  }
  throw new SyntaxError(`what is '${type}'?`);
}

function changed(state: State, ...changes: readonly (readonly [AccountId, number])[]): State {
  const balances = new Map(state.balances);
  for (const [id, change] of changes) {
    const before = balances.get(id);
    if (before === undefined) throw new RangeError(`no account ${id}`);
    if (before + change < 0) throw new RangeError(`${id} has only ${money(before)}`);
    balances.set(id, add(before, change));
  }
  return { ...state, balances };
}

function apply(state: State, command: Command): State {
  switch (command.type) {
    case 'open':
      return { ...state, balances: new Map([...state.balances, [command.id, 0 as Cents]]) };
    case 'deposit':
      return changed(state, [command.id, command.amount]);
    case 'withdraw':
      return changed(state, [command.id, -command.amount]);
    case 'transfer':
      return changed(state, [command.from, -command.amount], [command.to, command.amount]);
  }
}

const final = readFileSync(0, 'utf8')
  .split('\n')
  .filter(Boolean)
  .reduce<State>(
    (state, line) => {
      try {
        return apply(state, parse(line));
      } catch (error) {
        return { ...state, log: [...state.log, `${line}: ${(error as Error).name}: ${(error as Error).message}`] };
      }
    },
    { balances: new Map(), log: [] },
  );
for (const [id, balance] of final.balances) console.log(id.padEnd(6), money(balance).padStart(9));
console.log(final.log.join('\n'));
