// A state machine whose transitions are checked by types, and a scheduler of coroutines.
type Light = 'red' | 'green' | 'yellow' | 'off';
type Signal = 'next' | 'fault' | 'repair';

const machine = {
  red: { next: 'green', fault: 'off' },
  green: { next: 'yellow', fault: 'off' },
  yellow: { next: 'red', fault: 'off' },
  off: { repair: 'red' },
} as const satisfies Record<Light, Partial<Record<Signal, Light>>>;

type Allowed<L extends Light> = keyof (typeof machine)[L] & Signal;

class Machine<L extends Light = Light> {
  private constructor(
    readonly state: L,
    readonly history: readonly Light[],
  ) {}

  static start(): Machine<'red'> {
    return new Machine('red', ['red']);
  }

  send<S extends Allowed<L>>(signal: S): Machine<(typeof machine)[L][S] & Light> {
    const state = machine[this.state][signal] as (typeof machine)[L][S] & Light;
    return new Machine(state, [...this.history, state]);
  }

  can(signal: Signal): signal is Allowed<L> {
    return signal in machine[this.state];
  }
}

const light = Machine.start().send('next').send('next').send('fault');
console.log(light.state, light.history, light.can('repair'), light.can('next'));
console.log(light.send('repair').send('next').history.length);

type Yield = { sleep: number } | { spawn: Process } | { say: string };
type Process = Generator<Yield, void, number>;

class Scheduler {
  private readonly queue: { at: number; seq: number; process: Process }[] = [];
  private time = 0;
  private seq = 0;
  readonly output: string[] = [];

  spawn(process: Process, at = this.time): void {
    this.queue.push({ at, seq: this.seq++, process });
    this.queue.sort((a, b) => a.at - b.at || a.seq - b.seq);
  }

  run(): readonly string[] {
    for (let entry; (entry = this.queue.shift()); ) {
      this.time = entry.at;
      for (;;) {
        const { value, done } = entry.process.next(this.time);
        if (done) break;
        if ('say' in value) this.output.push(`${this.time}: ${value.say}`);
        else if ('spawn' in value) this.spawn(value.spawn);
        else {
          this.spawn(entry.process, this.time + value.sleep);
          break;
        }
      }
    }
    return this.output;
  }
}

function* worker(name: string, pause: number, times: number): Process {
  for (let i = 1; i <= times; i++) {
    const now = yield { sleep: pause };
    yield { say: `${name} ${i}/${times} (${now})` };
  }
}

function* boss(): Process {
  yield { say: 'begin' };
  yield { spawn: worker('slow', 5, 2) };
  yield { spawn: worker('quick', 2, 4) };
  yield { sleep: 20 };
  yield { say: 'end' };
}

const scheduler = new Scheduler();
scheduler.spawn(boss());
console.log(scheduler.run().join('\n'));
