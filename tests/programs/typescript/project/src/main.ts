import { Inventory, type Listener } from './inventory.ts';
import { isBook, type Item } from '#models/item';
import stock from './stock.json' with { type: 'json' };

const told: string[] = [];
const listener: Listener = (event, item) => told.push(`${event} ${item.title}`);
const inventory = new Inventory(listener);
for (const item of stock as Item[]) inventory.add(item);

console.log(inventory.find((item) => isBook(item) && item.pages > 300).map(({ title }) => title));
inventory.remove('Chess');
console.log(told, inventory.value.toFixed(2));
const { report } = await import('./report.ts');
console.log(report(inventory));
