export interface Tool {
  name: string;
  weight: number;
}

export interface Tools {
  make(name: string, weight: number): Tool;
  describe(tool: Tool): string;
}

module.exports = {
  make: (name, weight) => ({ name, weight }),
  describe: ({ name, weight }) => `${name} of ${weight} kg`,
} satisfies Tools;
