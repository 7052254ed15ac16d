// Passes the compiler's check, asked for by an option, before it runs.
import { createHash } from 'node:crypto';
import _ from 'lodash';
import { addDays, formatISO } from 'date-fns';
import { Decimal } from 'decimal.js';

type DeepReadonly<T> = T extends (infer U)[] ? readonly DeepReadonly<U>[] : T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;
type Path<T> = T extends object ? { [K in keyof T & string]: K | `${K}.${Path<T[K]>}` }[keyof T & string] : never;

enum Unit {
  Gram = 'g',
  Kilogram = 'kg',
}

class Weight {
  constructor(
    private readonly value: Decimal.Value,
    private readonly unit: Unit = Unit.Gram,
  ) {}

  in(unit: Unit): Decimal {
    const grams = new Decimal(this.value).times(this.unit === Unit.Kilogram ? 1000 : 1);
    return unit === Unit.Kilogram ? grams.div(1000) : grams;
  }
}

const settings = { server: { port: 80, hosts: ['a'] }, debug: false };
const frozen: DeepReadonly<typeof settings> = settings;
const lookUp = (path: Path<typeof settings>): unknown => _.get(frozen, path);

console.log(lookUp('server.port'), lookUp('debug'), frozen.server.hosts.length);
console.log(new Weight(1.5, Unit.Kilogram).in(Unit.Gram).toNumber(), new Weight(20).in(Unit.Kilogram).toString());
console.log(_.sortBy(Object.values(Unit)), formatISO(addDays(new Date(2024, 1, 28), 2), { representation: 'date' }));
console.log(createHash('sha256').update('typed').digest('hex').slice(0, 16), await Promise.resolve(process.argv.length));
