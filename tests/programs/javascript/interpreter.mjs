// A small language: tokens, a Pratt parser, closures. The program comes from stdin.
import { readFileSync } from 'node:fs';

const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|("[^"]*")|([A-Za-z_]\w*)|(==|<=|>=|!=|=>|[-+*/%^<>=(){},;!])|(\S))/y;

function* tokens(source) {
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.trimEnd().length) {
    const [, number, string, name, operator, bad] = TOKEN.exec(source);
    if (bad) throw new SyntaxError(`what is ${bad}?`);
    if (number) yield { type: 'value', value: Number(number) };
    else if (string) yield { type: 'value', value: string.slice(1, -1) };
    else if (name) yield { type: name === 'let' || name === 'fn' || name === 'if' || name === 'else' || name === 'while' ? name : 'name', name };
    else yield { type: operator };
  }
  yield { type: 'end' };
}

const POWER = { '=': 1, '==': 3, '!=': 3, '<': 4, '>': 4, '<=': 4, '>=': 4, '+': 5, '-': 5, '*': 6, '/': 6, '%': 6, '^': 8, '(': 9 };
const BINARY = {
  '+': (a, b) => a + b, '-': (a, b) => a - b, '*': (a, b) => a * b, '/': (a, b) => a / b, '%': (a, b) => a % b, '^': (a, b) => a ** b,
  '==': (a, b) => a === b, '!=': (a, b) => a !== b, '<': (a, b) => a < b, '>': (a, b) => a > b, '<=': (a, b) => a <= b, '>=': (a, b) => a >= b,
};

class Parser {
  constructor(source) {
    this.tokens = [...tokens(source)];
    this.at = 0;
  }

  get type() {
    return this.tokens[this.at].type;
  }

  take(type) {
    const token = this.tokens[this.at];
    if (type && token.type !== type) throw new SyntaxError(`${type} expected, not ${token.type}`);
    this.at++;
    return token;
  }

  program(end = 'end') {
    const body = [];
    while (this.type !== end) {
      if (this.type === ';') this.take();
      else body.push(this.expression());
    }
    this.take(end);
    return (scope) => body.reduce((_, run) => run(scope), null);
  }

  list(end, item) {
    const items = [];
    while (this.type !== end) {
      items.push(item());
      if (this.type === ',') this.take();
    }
    this.take(end);
    return items;
  }

  expression(power = 0) {
    let left = this.prefix();
    while ((POWER[this.type] ?? 0) > power) {
      const { type } = this.take();
      left = this.infix(type, left);
    }
    return left;
  }

  prefix() {
    const token = this.take();
    switch (token.type) {
      case 'value':
        return () => token.value;
      case 'name':
        return Object.assign((scope) => scope.get(token.name), { target: token.name });
      case '-': {
        const value = this.expression(7);
        return (scope) => -value(scope);
      }
      case '(': {
        const inner = this.expression();
        this.take(')');
        return (scope) => inner(scope);
      }
      case '{':
        return this.block();
      case 'let': {
        const { name } = this.take('name');
        this.take('=');
        const value = this.expression();
        return (scope) => scope.define(name, value(scope));
      }
      case 'fn': {
        this.take('(');
        const names = this.list(')', () => this.take('name').name);
        const body = this.expression();
        return (scope) => (...args) => {
          const inner = new Scope(scope);
          names.forEach((name, i) => inner.define(name, args[i]));
          return body(inner);
        };
      }
      case 'if': {
        const [condition, then] = [this.expression(), this.expression()];
        let otherwise = () => null;
        if (this.type === 'else') {
          this.take();
          otherwise = this.expression();
        }
        return (scope) => (condition(scope) ? then(scope) : otherwise(scope));
      }
      case 'while': {
        const [condition, body] = [this.expression(), this.expression()];
        return (scope) => {
          let result = null;
          while (condition(scope)) result = body(scope);
          return result;
        };
      }
    }
    throw new SyntaxError(`unexpected ${token.type}`);
  }

  block() {
    const body = this.program('}');
    return (scope) => body(new Scope(scope));
  }

  infix(type, left) {
    if (type === '(') {
      const args = this.list(')', () => this.expression());
      return (scope) => left(scope)(...args.map((arg) => arg(scope)));
    }
    const right = this.expression(POWER[type] - (type === '^' || type === '=' ? 1 : 0));
    if (type === '=') return (scope) => scope.set(left.target, right(scope));
    return (scope) => BINARY[type](left(scope), right(scope));
  }
}

class Scope {
  #names = new Map();

  constructor(outer) {
    this.outer = outer;
  }

  holder(name) {
    if (this.#names.has(name)) return this.#names;
    if (!this.outer) throw new ReferenceError(`${name} is unknown`);
    return this.outer.holder(name);
  }

  get = (name) => this.holder(name).get(name);
  define = (name, value) => (this.#names.set(name, value), value);
  set = (name, value) => (this.holder(name).set(name, value), value);
}

for (const source of readFileSync(0, 'utf8').split('---\n')) {
  const globals = new Scope();
  globals.define('print', (...values) => console.log(...values));
  try {
    console.log('=>', new Parser(source).program()(globals));
  } catch (error) {
    console.log(`${error.name}: ${error.message}`);
  }
}
