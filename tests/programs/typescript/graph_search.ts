// Graphs with typed nodes: breadth and depth first, topological order, components, spanning tree.
type Edge<N extends string> = readonly [from: N, to: N, weight: number];

class Graph<N extends string> {
  private readonly edges: Readonly<Partial<Record<N, ReadonlyArray<readonly [N, number]>>>>;

  constructor(
    readonly nodes: readonly N[],
    private readonly list: readonly Edge<N>[],
  ) {
    const edges: Partial<Record<N, (readonly [N, number])[]>> = {};
    for (const [from, to, weight] of list) (edges[from] ??= []).push([to, weight]);
    this.edges = edges;
  }

  next(node: N): readonly N[] {
    return (this.edges[node] ?? []).map(([to]) => to);
  }

  breadthFirst(start: N): Map<N, number> {
    const distances = new Map<N, number>([[start, 0]]);
    for (const queue: N[] = [start]; queue.length; ) {
      const node = queue.shift()!;
      for (const to of this.next(node)) {
        if (!distances.has(to)) {
          distances.set(to, distances.get(node)! + 1);
          queue.push(to);
        }
      }
    }
    return distances;
  }

  topological(): N[] | { readonly cycle: N[] } {
    const state = new Map<N, 'open' | 'done'>();
    const order: N[] = [];
    const path: N[] = [];
    const visit = (node: N): boolean => {
      if (state.get(node) === 'done') return true;
      path.push(node);
      if (state.get(node) === 'open') return false;
      state.set(node, 'open');
      if (!this.next(node).every(visit)) return false;
      path.pop();
      state.set(node, 'done');
      order.unshift(node);
      return true;
    };
    return this.nodes.every(visit) ? order : { cycle: path.slice(path.indexOf(path.at(-1)!)) };
  }

  spanningTree(): { tree: Edge<N>[]; components: number } {
    const parents = new Map<N, N>();
    const root = (node: N): N => (parents.has(node) ? root(parents.get(node)!) : node);
    const tree = this.list.toSorted((a, b) => a[2] - b[2]).filter(([from, to]) => {
      const [a, b] = [root(from), root(to)];
      if (a !== b) parents.set(a, b);
      return a !== b;
    });
    return { tree, components: this.nodes.length - tree.length };
  }

  longest(): number {
    const order = this.topological();
    if (!Array.isArray(order)) return Infinity;
    const length = {} as Record<N, number>;
    for (const node of order.toReversed()) length[node] = Math.max(0, ...(this.edges[node] ?? []).map(([to, weight]) => weight + length[to]));
    return Math.max(...Object.values<number>(length));
  }
}

const steps = ['wake', 'shower', 'dress', 'coffee', 'toast', 'eat', 'leave'] as const;
type StepName = (typeof steps)[number];
const morning = new Graph<StepName>(steps, [
  ['wake', 'shower', 1], ['shower', 'dress', 7], ['wake', 'coffee', 1], ['coffee', 'eat', 5],
  ['toast', 'eat', 3], ['wake', 'toast', 1], ['dress', 'leave', 4], ['eat', 'leave', 10],
]);
console.log(morning.topological(), morning.longest());
console.log(morning.breadthFirst('wake'));
console.log(morning.spanningTree());
const circle = new Graph(['a', 'b', 'c', 'd', 'e'], [['a', 'b', 1], ['b', 'c', 1], ['c', 'd', 1], ['d', 'b', 1]]);
console.log(circle.topological(), circle.spanningTree().components, circle.longest());

const SIZE = 300;
const cell = (x: number, y: number): string => `${x}:${y}`;
const open = (x: number, y: number): boolean => x >= 0 && y >= 0 && x < SIZE && y < SIZE && (x * 3 + y * 5) % 7 !== 0;
const cells: string[] = [];
const passages: Edge<string>[] = [];
for (let x = 0; x < SIZE; x++) {
  for (let y = 0; y < SIZE; y++) {
    if (!open(x, y)) continue;
    cells.push(cell(x, y));
    for (const [dx, dy] of [[1, 0], [0, 1], [-1, 0], [0, -1]] as const) if (open(x + dx, y + dy)) passages.push([cell(x, y), cell(x + dx, y + dy), 1]);
  }
}
const reach = new Graph(cells, passages).breadthFirst(cell(1, 0));
console.log(cells.length, passages.length, reach.size, Math.max(...reach.values()));
