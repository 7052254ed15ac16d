// Discriminated unions, exhaustive switches, guards and assertions.
type Shape =
  | { kind: 'circle'; radius: number }
  | { kind: 'rectangle'; width: number; height: number }
  | { kind: 'polygon'; points: [number, number][] };

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const never = (value: never): never => {
  throw new Error(`unexpected ${JSON.stringify(value)}`);
};

function area(shape: Shape): number {
  switch (shape.kind) {
    case 'circle':
      return Math.PI * shape.radius ** 2;
    case 'rectangle':
      return shape.width * shape.height;
    case 'polygon': {
      const { points } = shape;
      return Math.abs(points.reduce((sum, [x, y], i) => {
        const [nextX, nextY] = points[(i + 1) % points.length]!;
        return sum + x * nextY - nextX * y;
      }, 0)) / 2;
    }
    default:
      return never(shape);
  }
}

function isShape(value: unknown): value is Shape {
  return typeof value === 'object' && value !== null && 'kind' in value && ['circle', 'rectangle', 'polygon'].includes(value.kind as string);
}

function assertNumber(value: unknown, what: string): asserts value is number {
  if (typeof value !== 'number') throw new TypeError(`${what} is ${typeof value}, not number`);
}

function describe(json: Json, depth = 0): string {
  if (json === null) return 'null';
  if (Array.isArray(json)) return `[${json.map((item) => describe(item, depth + 1)).join(' ')}]`;
  switch (typeof json) {
    case 'object':
      return `{${Object.entries(json).map(([key, value]) => `${key}→${describe(value, depth + 1)}`).join(' ')}}`;
    case 'string':
      return json.toUpperCase();
    case 'number':
      return json.toFixed(1);
    default:
      return json ? 'yes' : 'no';
  }
}

const candidates: unknown[] = [
  { kind: 'circle', radius: 2 },
  { kind: 'polygon', points: [[0, 0], [4, 0], [4, 3]] },
  { kind: 'rectangle', width: 3, height: 1.5 },
  { kind: 'blob' },
  'circle',
  null,
];
for (const candidate of candidates) {
  console.log(isShape(candidate) ? `${candidate.kind} ${area(candidate).toFixed(3)}` : `${JSON.stringify(candidate)} is no shape`);
}
console.log(describe({ a: [1, true, null, { b: 'deep' }], c: false }));
for (const value of [42, '42'] as unknown[]) {
  try {
    assertNumber(value, 'the answer');
    console.log(value.toFixed(2));
  } catch (error) {
    console.log((error as Error).message);
  }
}

type Result<T, E = Error> = { ok: true; value: T } | { ok: false; error: E };
const attempt = <T,>(action: () => T): Result<T, string> => {
  try {
    return { ok: true, value: action() };
  } catch (error) {
    return { ok: false, error: String(error) };
  }
};
for (const text of ['{"a": 1}', '{a: 1}']) {
  const result = attempt(() => JSON.parse(text) as { a: number });
  console.log(result.ok ? result.value.a : result.error.split(':')[0]);
}
try {
  area({ kind: 'star' } as unknown as Shape);
} catch (error) {
  console.log((error as Error).message);
}
