import type { Item } from '#models/item';

export type Listener = (event: 'added' | 'removed', item: Item) => void;

export class Inventory implements Iterable<Item> {
  readonly #items = new Map<string, Item>();

  constructor(private readonly listener?: Listener) {}

  add(item: Item): void {
    this.#items.set(item.title, item);
    this.listener?.('added', item);
  }

  remove(title: string): boolean {
    const item = this.#items.get(title);
    if (item) this.listener?.('removed', item);
    return this.#items.delete(title);
  }

  find(predicate: (item: Item) => boolean): Item[] {
    return [...this].filter(predicate);
  }

  get value(): number {
    return [...this].reduce((sum, { price, count = 1 }) => sum + price * count, 0);
  }

  [Symbol.iterator](): IterableIterator<Item> {
    return this.#items.values();
  }
}
