// Statistics of a text from stdin, by async iteration over stdin and typed pipelines.
type Stage<In, Out> = (input: AsyncIterable<In>) => AsyncIterable<Out>;

const stage = <In, Out>(each: (item: In) => Iterable<Out>): Stage<In, Out> =>
  async function* (input) {
    for await (const item of input) yield* each(item);
  };

function compose<A, B, C, D>(first: Stage<A, B>, second: Stage<B, C>, third: Stage<C, D>): Stage<A, D> {
  return (input) => third(second(first(input)));
}

async function* lines(input: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of input) {
    const parts = (rest + chunk).split(/\r?\n/);
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest) yield rest;
}

class Counter<T extends PropertyKey> {
  private readonly counts: Partial<Record<T, number>> = {};

  add(item: T): void {
    this.counts[item] = (this.counts[item] ?? 0) + 1;
  }

  top(n: number): [T, number][] {
    return (Object.entries(this.counts) as [T, number][]).sort(([a, x], [b, y]) => y - x || (String(a) < String(b) ? -1 : 1)).slice(0, n);
  }

  get total(): number {
    return Object.values<number>(this.counts as Record<string, number>).reduce((a, b) => a + b, 0);
  }
}

const sentences = stage((line: string) => line.match(/[^.!?]+[.!?]?/g) ?? []);
const words = stage((sentence: string) => sentence.toLowerCase().match(/\p{L}+(?:['’-]\p{L}+)*/gu) ?? []);

process.stdin.setEncoding('utf8');
const pipeline: Stage<string, string> = compose(lines, sentences, words);
const counter = new Counter<string>();
const lengths = new Counter<number>();
const syllables = (word: string): number => Math.max(1, word.match(/[aeiouy]+/g)?.length ?? 0);
let syllableCount = 0;
for await (const word of pipeline(process.stdin as AsyncIterable<string>)) {
  counter.add(word);
  lengths.add(word.length);
  syllableCount += syllables(word);
}
console.table(counter.top(5).map(([word, count]) => ({ word, count })));
console.log(`${counter.total} words, ${syllableCount} syllables`);
console.log(lengths.top(4).map(([length, count]) => `${count} of ${length}`).join(', '));
