// Fails at run time; the trace has the lines of this file.
enum Stage {
  Load,
  Parse,
}

class StageError extends Error {
  constructor(
    readonly stage: Stage,
    options?: ErrorOptions,
  ) {
    super(`failed to ${Stage[stage]!.toLowerCase()}`, options);
    this.name = 'StageError';
  }
}

function parse(text: string): { value: number } {
  try {
    return JSON.parse(text) as { value: number };
  } catch (cause) {
    throw new StageError(Stage.Parse, { cause });
  }
}

console.log(parse('{"value": 1}').value);
const where = (error: Error): string => /main\.ts:\d+/.exec(error.stack ?? '')?.[0] ?? 'nowhere';
try {
  parse('{');
} catch (error) {
  console.log(where(error as Error), (error as StageError).message, ((error as Error).cause as Error).name);
}
parse(undefined as unknown as string);
