// Parses and differentiates expressions from stdin: an algebraic data type and its folds.
import { createInterface } from 'node:readline';

type Expr =
  | { tag: 'number'; value: number }
  | { tag: 'variable'; name: string }
  | { tag: 'binary'; op: Op; left: Expr; right: Expr }
  | { tag: 'call'; fn: Fn; arg: Expr };
type Op = '+' | '-' | '*' | '/' | '^';
type Fn = 'sin' | 'cos' | 'exp' | 'ln';

const num = (value: number): Expr => ({ tag: 'number', value });
const bin = (op: Op, left: Expr, right: Expr): Expr => ({ tag: 'binary', op, left, right });
const call = (fn: Fn, arg: Expr): Expr => ({ tag: 'call', fn, arg });

class Parser {
  private position = 0;

  constructor(private readonly text: string) {}

  static parse(text: string): Expr {
    const parser = new Parser(text.replaceAll(' ', ''));
    const result = parser.sum();
    if (parser.position < parser.text.length) throw new SyntaxError(`unexpected '${parser.peek}' at ${parser.position}`);
    return result;
  }

  private get peek(): string {
    return this.text[this.position] ?? 'end';
  }

  private eat(...tokens: string[]): string | undefined {
    const found = tokens.find((token) => this.text.startsWith(token, this.position));
    if (found) this.position += found.length;
    return found;
  }

  private chain(next: () => Expr, ...ops: Op[]): Expr {
    let left = next();
    for (let op: Op | undefined; (op = this.eat(...ops) as Op | undefined); ) left = bin(op, left, next());
    return left;
  }

  private sum = (): Expr => this.chain(this.product, '+', '-');
  private product = (): Expr => this.chain(this.power, '*', '/');

  private power = (): Expr => {
    const base = this.atom();
    return this.eat('^') ? bin('^', base, this.power()) : base;
  };

  private atom(): Expr {
    if (this.eat('-')) return bin('*', num(-1), this.power());
    if (this.eat('(')) {
      const inner = this.sum();
      if (!this.eat(')')) throw new SyntaxError(`')' expected at ${this.position}`);
      return inner;
    }
    const digits = /^\d+(\.\d+)?/.exec(this.text.slice(this.position));
    if (digits) {
      this.position += digits[0].length;
      return num(Number(digits[0]));
    }
    const fn = this.eat('sin(', 'cos(', 'exp(', 'ln(');
    if (fn) {
      this.position--;
      return call(fn.slice(0, -1) as Fn, this.atom());
    }
    if (!/[a-z]/.test(this.peek)) throw new SyntaxError(`unexpected ${this.peek === 'end' ? 'end' : `'${this.peek}'`} at ${this.position}`);
    return { tag: 'variable', name: this.text[this.position++]! };
  }
}

function derive(e: Expr): Expr {
  switch (e.tag) {
    case 'number':
      return num(0);
    case 'variable':
      return num(e.name === 'x' ? 1 : 0);
    case 'call': {
      const outer: Record<Fn, Expr> = {
        sin: call('cos', e.arg),
        cos: bin('*', num(-1), call('sin', e.arg)),
        exp: e,
        ln: bin('/', num(1), e.arg),
      };
      return bin('*', outer[e.fn], derive(e.arg));
    }
    case 'binary': {
      const [f, g] = [e.left, e.right];
      const [df, dg] = [derive(f), derive(g)];
      if (e.op === '+' || e.op === '-') return bin(e.op, df, dg);
      if (e.op === '*') return bin('+', bin('*', df, g), bin('*', f, dg));
      if (e.op === '/') return bin('/', bin('-', bin('*', df, g), bin('*', f, dg)), bin('^', g, num(2)));
      return bin('*', bin('*', g, bin('^', f, bin('-', g, num(1)))), df);
    }
  }
}

const OPS: Record<Op, (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '^': (a, b) => a ** b,
};

function simplify(e: Expr): Expr {
  if (e.tag === 'call') return call(e.fn, simplify(e.arg));
  if (e.tag !== 'binary') return e;
  const [left, right] = [simplify(e.left), simplify(e.right)];
  const is = (x: Expr, value: number): boolean => x.tag === 'number' && x.value === value;
  if (left.tag === 'number' && right.tag === 'number') return num(OPS[e.op](left.value, right.value));
  if (e.op === '*' && (is(left, 0) || is(right, 0))) return num(0);
  if ((e.op === '*' && is(left, 1)) || (e.op === '+' && is(left, 0))) return right;
  if ((['*', '/', '^'].includes(e.op) && is(right, 1)) || (['+', '-'].includes(e.op) && is(right, 0))) return left;
  return bin(e.op, left, right);
}

const evaluate = (e: Expr, x: number): number =>
  e.tag === 'number' ? e.value
  : e.tag === 'variable' ? x
  : e.tag === 'call' ? { sin: Math.sin, cos: Math.cos, exp: Math.exp, ln: Math.log }[e.fn](evaluate(e.arg, x))
  : OPS[e.op](evaluate(e.left, x), evaluate(e.right, x));

const show = (e: Expr): string =>
  e.tag === 'number' ? String(e.value)
  : e.tag === 'variable' ? e.name
  : e.tag === 'call' ? `${e.fn}(${show(e.arg)})`
  : `(${show(e.left)} ${e.op} ${show(e.right)})`;

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const parsed = Parser.parse(line);
    const derived = simplify(derive(parsed));
    console.log(`${show(parsed)}  d/dx  ${show(derived)}  at 2: ${evaluate(parsed, 2).toFixed(6)}, ${evaluate(derived, 2).toFixed(6)}`);
  } catch (error: unknown) {
    console.log(`${line}: ${error instanceof SyntaxError ? error.message : error}`);
  }
}
