import * as z from 'zod';
import { changeMessageSchema } from '../contracts/change.ts';
import type { DeadLetter } from '../ports/change-queue.ts';
import { refText } from '../values/record-ref.ts';
import { defineOperation, integrationsOf, refused } from './operation.ts';
import { recordOperation } from './operator-audit.ts';

export interface ShownLetter {
  readonly integration: string;
  readonly id: string;
  readonly records: readonly string[];
  readonly cause?: string;
  readonly sentence?: string;
  readonly fix?: string;
  readonly sentAt: string;
  readonly receiveCount: number;
  /** The raw text when it is not one of our messages. */
  readonly body?: string;
}

/** Long enough to read a few hundred letters, short enough that an interrupted command gives them back soon. */
const lookSeconds = 60;
const mostLetters = 1000;

function show(integration: string, letter: DeadLetter): ShownLetter {
  const message = readMessage(letter.body);
  return {
    integration,
    id: letter.id,
    records: message?.changes.map(refText) ?? [],
    ...(letter.reason ? { cause: letter.reason.cause, sentence: letter.reason.sentence } : {}),
    ...(letter.reason?.fix === undefined ? {} : { fix: letter.reason.fix }),
    sentAt: letter.sentAt.toISOString(),
    receiveCount: letter.receiveCount,
    ...(message ? {} : { body: letter.body.slice(0, 2000) }),
  };
}

function readMessage(body: string) {
  try {
    return changeMessageSchema.parse(JSON.parse(body));
  } catch {
    return undefined;
  }
}

type Connector = Parameters<typeof integrationsOf>[0];

/** Takes every letter there is, hands them to `work`, and gives back those that `work` did not finish. */
async function withLetters<Result>(
  connector: Connector,
  integration: string,
  work: (letters: readonly DeadLetter[]) => Promise<{ readonly result: Result; readonly finished: readonly DeadLetter[] }>,
): Promise<Result> {
  const queue = connector.ports.deadLetters(integration);
  const letters = new Map<string, DeadLetter>();
  for (;;) {
    const page = await queue.receive({ limit: 10, visibilitySeconds: lookSeconds });
    for (const letter of page) letters.set(letter.id, letter);
    if (page.length === 0 || letters.size >= mostLetters) break;
  }
  const { result, finished } = await work([...letters.values()]);
  const done = new Set(finished.map((letter) => letter.id));
  await queue.remove(finished.map((letter) => letter.handle));
  await queue.release([...letters.values()].filter((letter) => !done.has(letter.id)).map((letter) => letter.handle));
  return result;
}

const which = z.strictObject({ integration: z.string().optional() });

export const listDeadLetters = defineOperation({
  name: 'dlq-list',
  summary: 'Messages on the dead-letter queues, with the reason they are there.',
  input: which,
  changes: false,
  async run(connector, request) {
    const letters: ShownLetter[] = [];
    for (const { name } of integrationsOf(connector, request.integration)) {
      letters.push(
        ...(await withLetters(connector, name, async (found) => ({ result: found.map((letter) => show(name, letter)), finished: [] }))),
      );
    }
    return { letters };
  },
});

export const redriveDeadLetters = defineOperation({
  name: 'dlq-redrive',
  summary: 'Put dead letters back on the live queue: one by id, or all.',
  input: which.extend({ id: z.string().optional(), all: z.literal(true).optional() }),
  changes: true,
  async run(connector, request, operator) {
    if ((request.id === undefined) === (request.all === undefined))
      throw refused('Say which: one letter or all of them.', 'dlq redrive ID, or: dlq redrive --all');
    let redriven = 0;
    const unreadable: string[] = [];
    for (const { name } of integrationsOf(connector, request.integration)) {
      await withLetters(connector, name, async (found) => {
        const chosen = found.filter((letter) => request.all === true || letter.id === request.id);
        const messages = chosen.map((letter) => ({ letter, message: readMessage(letter.body) }));
        unreadable.push(...messages.filter(({ message }) => message === undefined).map(({ letter }) => letter.id));
        const good = messages.flatMap(({ letter, message }) => (message ? [{ letter, message }] : []));
        await connector.ports.queue(name).send(
          'live',
          good.map(({ message }) => ({
            body: {
              ...message,
              queue: 'live' as const,
              attempt: 0,
              changes: message.changes.map(({ snapshot: _old, ...change }) => ({ ...change, cause: 'replay' as const })),
            },
          })),
        );
        redriven += good.length;
        return { result: undefined, finished: good.map(({ letter }) => letter) };
      });
      if (redriven > 0)
        await recordOperation(connector, {
          integration: name,
          operator,
          sentence: `${operator.name} redrove ${redriven} dead letter${redriven === 1 ? '' : 's'}.`,
        });
    }
    if (redriven === 0 && unreadable.length === 0) throw refused('There is no such dead letter.', 'See what is there with: dlq list');
    return { redriven, unreadable };
  },
});

export const purgeDeadLetters = defineOperation({
  name: 'dlq-purge',
  summary: 'Remove dead letters for good: one by id, or all. Records stay held and can still be replayed.',
  input: which.extend({ id: z.string().optional(), all: z.literal(true).optional() }),
  changes: true,
  async run(connector, request, operator) {
    if ((request.id === undefined) === (request.all === undefined))
      throw refused('Say which: one letter or all of them.', 'dlq purge ID, or: dlq purge --all');
    let purged = 0;
    for (const { name } of integrationsOf(connector, request.integration)) {
      const here = await withLetters(connector, name, async (found) => {
        const chosen = found.filter((letter) => request.all === true || letter.id === request.id);
        return { result: chosen.length, finished: chosen };
      });
      purged += here;
      if (here > 0)
        await recordOperation(connector, {
          integration: name,
          operator,
          sentence: `${operator.name} purged ${here} dead letter${here === 1 ? '' : 's'}.`,
        });
    }
    return { purged };
  },
});
