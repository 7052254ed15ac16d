// What TypeScript has of its own at run time: enums, namespaces, parameter properties.
enum Direction {
  Up,
  Right,
  Down,
  Left,
}

enum Level {
  Debug = 10,
  Info = Debug * 2,
  Error = Info + 20,
}

enum Suit {
  Hearts = '♥',
  Spades = '♠',
}

const enum Flag {
  None = 0,
  Read = 1 << 0,
  Write = 1 << 1,
  All = Read | Write,
}

namespace Geometry {
  export interface Point {
    x: number;
    y: number;
  }

  export const ORIGIN: Readonly<Point> = { x: 0, y: 0 };

  export function move(point: Point, direction: Direction, steps = 1): Point {
    switch (direction) {
      case Direction.Up:
        return { ...point, y: point.y - steps };
      case Direction.Down:
        return { ...point, y: point.y + steps };
      case Direction.Left:
        return { ...point, x: point.x - steps };
      case Direction.Right:
        return { ...point, x: point.x + steps };
    }
  }

  export namespace Distance {
    export const manhattan = (a: Point, b: Point = ORIGIN): number => Math.abs(a.x - b.x) + Math.abs(a.y - b.y);
  }
}

class Turtle {
  constructor(
    public readonly name: string,
    protected position: Geometry.Point = Geometry.ORIGIN,
    private facing = Direction.Up,
  ) {}

  turn(quarter: 1 | -1): this {
    this.facing = (this.facing + quarter + 4) % 4;
    return this;
  }

  walk(steps: number): this {
    this.position = Geometry.move(this.position, this.facing, steps);
    return this;
  }

  toString(): string {
    return `${this.name} at ${this.position.x},${this.position.y} facing ${Direction[this.facing]}`;
  }
}

namespace Turtle {
  export const SPEED = 3;
}

console.log(`${new Turtle('T').walk(2).turn(1).walk(5).turn(1).walk(1)}`, Turtle.SPEED);
console.log(Direction, Direction[2], Object.values(Suit), Level.Error, Level[20]);
console.log(Flag.All, (Flag.Read & Flag.All) !== Flag.None, Geometry.Distance.manhattan({ x: -3, y: 4 }));
const names = Object.keys(Direction).filter((key) => Number.isNaN(Number(key))) as (keyof typeof Direction)[];
console.log(names.map((name) => Direction[name]), Object.keys(new Turtle('x')));
