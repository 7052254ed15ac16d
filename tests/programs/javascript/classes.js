// Classes with private parts, accessors, static blocks, mixins, and what can be made of symbols.
class Shape {
  static #count = 0;
  static registry;

  static {
    this.registry = new Map();
  }

  #name;

  constructor(name) {
    if (new.target === Shape) throw new TypeError('a Shape is abstract');
    this.#name = name;
    Shape.#count++;
    Shape.registry.set(name, this);
  }

  get name() {
    return this.#name;
  }

  set name(value) {
    if (!value) throw new RangeError('a name is needed');
    this.#name = value;
  }

  static get count() {
    return Shape.#count;
  }

  static isShape(thing) {
    return #name in thing;
  }

  toString() {
    return `${this.constructor.name} ${this.name}: ${this.area.toFixed(2)}`;
  }

  [Symbol.toPrimitive](hint) {
    return hint === 'number' ? this.area : this.toString();
  }
}

class Circle extends Shape {
  constructor(radius) {
    super(`circle(${radius})`);
    this.radius = radius;
  }

  get area() {
    return Math.PI * this.radius ** 2;
  }
}

const Scalable = (Base) =>
  class extends Base {
    scale(factor) {
      return new this.constructor(...this.sides.map((side) => side * factor));
    }
  };

class Rectangle extends Scalable(Shape) {
  constructor(...sides) {
    super(`rectangle(${sides})`);
    this.sides = sides;
  }

  get area() {
    return this.sides.reduce((product, side) => product * side, 1);
  }

  *[Symbol.iterator]() {
    yield* this.sides;
  }

  static get [Symbol.species]() {
    return Array;
  }
}

class Temperature {
  static #ZERO = -273.15;
  #celsius = 0;

  static of(celsius) {
    const made = new Temperature();
    made.celsius = celsius;
    return made;
  }

  get celsius() {
    return this.#celsius;
  }

  set celsius(value) {
    if (value < Temperature.#ZERO) throw new RangeError(`${value} is too cold`);
    this.#celsius = value;
  }

  get fahrenheit() {
    return this.#celsius * 1.8 + 32;
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    return `<${this.#celsius} °C>`;
  }
}

const shapes = [new Circle(1), new Rectangle(2, 3), new Rectangle(2, 3).scale(2)];
console.log(shapes.map(String));
console.log(+shapes[0] > 3, `${shapes[1]}`, [...shapes[2]], Shape.count, Shape.registry.size);
console.log(Shape.isShape(shapes[0]), Shape.isShape({ name: 'not one' }), shapes[1] instanceof Shape);
shapes[0].name = 'disc';
console.log(shapes[0].name, Object.keys(shapes[0]), JSON.stringify(shapes[1]));
for (const attempt of [() => new Shape('x'), () => (shapes[0].name = ''), () => Temperature.of(-300), () => shapes[0].nothing()]) {
  try {
    attempt();
  } catch (error) {
    console.log(`${error.name}: ${error.message}`);
  }
}
console.log([Temperature.of(20), Temperature.of(-40)], Temperature.of(-40).fahrenheit);
console.log(Object.getOwnPropertyNames(Circle.prototype), Object.getPrototypeOf(Circle) === Shape);

class Stack extends Array {
  peek() {
    return this.at(-1);
  }
}
const stack = Stack.from([1, 2, 3]);
console.log(stack, stack.peek(), stack.map((x) => x * 2) instanceof Stack);
