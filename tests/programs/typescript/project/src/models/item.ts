interface Base {
  title: string;
  price: number;
  count?: number;
}

export interface Book extends Base {
  kind: 'book';
  pages: number;
}

export interface Game extends Base {
  kind: 'game';
  players: [least: number, most: number];
}

export type Item = Book | Game;
export const isBook = (item: Item): item is Book => item.kind === 'book';
