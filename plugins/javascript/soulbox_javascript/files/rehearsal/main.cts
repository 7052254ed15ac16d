// What a small TypeScript program touches.

enum Colour {
  Red,
  Green = 'green',
}

namespace Shapes {
  export interface Shape {
    readonly name: string;
    area(): number;
  }

  export class Square implements Shape {
    readonly name = 'square';

    constructor(
      private readonly side: number,
      public colour: Colour = Colour.Red,
    ) {}

    area(): number {
      return this.side ** 2;
    }
  }
}

type Pair<A, B = A> = readonly [A, B];

function sum<T extends Shapes.Shape>(...shapes: T[]): number {
  return shapes.reduce((total: number, shape) => total + shape.area(), 0);
}

const pair: Pair<string, number> = ['total', sum(new Shapes.Square(2))] satisfies Pair<string, number>;
const text = `${pair[0]}: ${(pair[1] as unknown as number)!} ${Colour.Green}`;
module.exports = { text };
