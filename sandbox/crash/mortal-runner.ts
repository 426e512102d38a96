import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { inTime } from './in-time.ts';
import { timeVariables } from './passing-time.ts';
import { type Order, type Ready, type RunnerSettings, saidSchema } from './runner-orders.ts';

interface Depth {
  readonly waiting: number;
  readonly inFlight: number;
  readonly delayed: number;
}

/** A runner in a process group of its own, which can be killed alone or with every function it started. */
export interface MortalRunner {
  readonly ready: Ready;
  /** SIGKILL to all processes of a function; answers how many. */
  killFunction(logicalId: string): Promise<number>;
  depths(queues: readonly string[]): Promise<readonly (Depth | undefined)[]>;
  /** SIGKILL to the runner alone: its functions go on without it until they notice. */
  killAlone(): Promise<void>;
  /** SIGKILL to the runner and all of its functions, as when the power fails. */
  killAll(): Promise<void>;
}

export async function startMortalRunner(settings: RunnerSettings): Promise<MortalRunner> {
  const child = fork(join(import.meta.dirname, 'runner-process.ts'), [JSON.stringify(settings)], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, ...timeVariables(settings.timeFile) },
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const said: string[] = [];
  child.stderr?.on('data', (text) => {
    said.push(String(text));
    if (said.length > 100) said.shift();
  });
  const waiting = new Map<number, (value: unknown) => void>();
  let nextId = 0;
  let isGone = false;
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      isGone = true;
      resolve();
    });
  });
  // An order to one that is just gone: whoever gave it learns by `gone`.
  child.on('error', () => undefined);
  const started = new Promise<Ready>((resolve, reject) => {
    void gone.then(() => reject(new Error(`the runner ended: ${said.join('')}`)));
    child.on('message', (message) => {
      const one = saidSchema.parse(message);
      if ('ready' in one) resolve(one.ready);
      else waiting.get(one.answer.id)?.(one.answer.value);
    });
  });

  const ready = await inTime('the start of the runner', started);

  type Asked = { readonly kill: string } | { readonly depth: string[] };
  async function order(asked: Asked): Promise<unknown> {
    const id = nextId++;
    const answered = new Promise<unknown>((resolve) => waiting.set(id, resolve));
    child.send({ id, ...asked } satisfies Order);
    const ended = gone.then((): never => {
      throw new Error(`the runner ended by itself: ${said.join('')}`);
    });
    const answer = await inTime(`the runner (${Object.keys(asked).join()})`, Promise.race([answered, ended]));
    waiting.delete(id);
    return answer;
  }

  return {
    ready,
    killFunction: async (logicalId) => Number(await order({ kill: logicalId })),
    depths: async (queues) => (await order({ depth: [...queues] })) as readonly (Depth | undefined)[],
    async killAlone() {
      child.kill('SIGKILL');
      await inTime('the end of the runner', gone);
    },
    async killAll() {
      signalGroup(child);
      if (!isGone) await inTime('the end of the runner', gone);
    },
  };
}

/** The group may be empty already. */
function signalGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
