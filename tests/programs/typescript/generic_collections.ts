// Generic containers: a linked list, a heap and a trie, with constraints and defaults.
interface Collection<T> extends Iterable<T> {
  readonly size: number;
  add(item: T): this;
}

type Comparator<T> = (a: T, b: T) => number;

class LinkedList<T> implements Collection<T> {
  private head?: Node<T>;
  private tail?: Node<T>;
  size = 0;

  add(item: T): this {
    const node: Node<T> = { item };
    if (this.tail) this.tail.next = node;
    else this.head = node;
    this.tail = node;
    this.size++;
    return this;
  }

  reverse(): LinkedList<T> {
    let previous: Node<T> | undefined;
    this.tail = this.head;
    for (let node = this.head; node; ) {
      const { next } = node;
      node.next = previous;
      previous = node;
      node = next;
    }
    this.head = previous;
    return this;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let node = this.head; node; node = node.next) yield node.item;
  }
}

interface Node<T> {
  item: T;
  next?: Node<T>;
}

class Heap<T = number> implements Collection<T> {
  private readonly items: T[] = [];

  constructor(private readonly compare: Comparator<T>) {}

  get size(): number {
    return this.items.length;
  }

  add(item: T): this {
    let i = this.items.push(item) - 1;
    for (let parent = (i - 1) >> 1; i > 0 && this.compare(this.items[i]!, this.items[parent]!) < 0; parent = (i - 1) >> 1) {
      this.swap(i, parent);
      i = parent;
    }
    return this;
  }

  take(): T | undefined {
    const [least] = this.items;
    const last = this.items.pop();
    if (this.items.length && last !== undefined) {
      this.items[0] = last;
      for (let i = 0; ; ) {
        const children = [2 * i + 1, 2 * i + 2].filter((c) => c < this.items.length);
        const child = children.sort((a, b) => this.compare(this.items[a]!, this.items[b]!))[0];
        if (child === undefined || this.compare(this.items[child]!, this.items[i]!) >= 0) break;
        this.swap(i, child);
        i = child;
      }
    }
    return least;
  }

  private swap(a: number, b: number): void {
    [this.items[a], this.items[b]] = [this.items[b]!, this.items[a]!];
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    while (this.size > 0) yield this.take() as T;
  }
}

class Trie<V extends {}> {
  private readonly children = new Map<string, Trie<V>>();
  private value?: V;

  set(key: string, value: V): void {
    if (key === '') this.value = value;
    else {
      const child = this.children.get(key[0]!) ?? new Trie<V>();
      this.children.set(key[0]!, child);
      child.set(key.slice(1), value);
    }
  }

  *find(prefix: string, path = ''): IterableIterator<[string, V]> {
    if (this.value !== undefined && prefix === '') yield [path, this.value];
    for (const [letter, child] of this.children) {
      if (prefix === '' || letter === prefix[0]) yield* child.find(prefix.slice(1), path + letter);
    }
  }
}

function fill<T, C extends Collection<T>>(collection: C, items: Iterable<T>): C {
  for (const item of items) collection.add(item);
  return collection;
}

const list = fill<string, LinkedList<string>>(new LinkedList(), 'abcde');
console.log(list.size, [...list], [...list.reverse().add('!')]);
const heap = fill<number, Heap>(new Heap((a, b) => a - b), [5, 3, 8, 1, 9, 2, 7]);
console.log(heap.size, [...heap], heap.size);
const tasks = new Heap<{ name: string; due: number }>((a, b) => a.due - b.due || a.name.localeCompare(b.name));
tasks.add({ name: 'write', due: 3 }).add({ name: 'read', due: 1 }).add({ name: 'rest', due: 1 });
console.log([...tasks].map(({ name }) => name));
const trie = new Trie<number>();
for (const [i, word] of ['car', 'card', 'care', 'cat', 'dog'].entries()) trie.set(word, i);
console.log([...trie.find('car')], [...trie.find('x')], [...trie.find('')].length);
