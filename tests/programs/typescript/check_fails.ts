interface Person {
  name: string;
  age: number;
}

const people: Person[] = [{ name: 'Ada', age: '36' }];

function oldest(all: readonly Person[]): Person {
  return all.toSorted((a, b) => b.age - a.age)[0].nme;
}

console.log('never printed', oldest(people), undeclared);
