import * as z from 'zod';
import type { Connector } from '../connector.ts';
import { type ChangeMessage, changeMessageSchema } from '../contracts/change.ts';
import type { DeadLetter } from '../ports/change-queue.ts';
import { refText } from '../values/record-ref.ts';
import { defineOperation, integrationName, integrationsOf, refused, shortText } from './operation.ts';
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
  /** The beginning of the raw text when it is not one of our messages. */
  readonly body?: string;
}

/** Long enough to go through a thousand letters, short enough that an interrupted command gives them back soon. */
const lookSeconds = 60;
const mostLetters = 1000;
/** Messages sent before their letters are removed: what an interruption leaves on both queues is small, and harmless. */
const atOnce = 50;

function show(integration: string, letter: DeadLetter): ShownLetter {
  const message = readMessage(integration, letter.body);
  return {
    integration,
    id: letter.id,
    records: message?.changes.map(refText) ?? [],
    ...(letter.reason ? { cause: letter.reason.cause, sentence: letter.reason.sentence } : {}),
    ...(letter.reason?.fix === undefined ? {} : { fix: letter.reason.fix }),
    sentAt: letter.sentAt.toISOString(),
    receiveCount: letter.receiveCount,
    ...(message ? {} : { body: letter.body.slice(0, 500) }),
  };
}

/** A message of this integration; anything else on its queue is a foreign text. */
function readMessage(integration: string, body: string): ChangeMessage | undefined {
  try {
    const parsed = changeMessageSchema.safeParse(JSON.parse(body));
    return parsed.success && parsed.data.integration === integration ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** Letters in hand; what is not finished goes back at once, also when the work fails half-way. */
interface InHand {
  readonly letters: readonly DeadLetter[];
  finish(letters: readonly DeadLetter[]): Promise<void>;
}

async function withLetters<Result>(connector: Connector, integration: string, work: (hand: InHand) => Promise<Result>): Promise<Result> {
  const queue = connector.ports.deadLetters(integration);
  const letters = new Map<string, DeadLetter>();
  const finished = new Set<string>();
  try {
    while (letters.size < mostLetters) {
      const page = await queue.receive({ limit: 10, visibilitySeconds: lookSeconds });
      for (const letter of page) letters.set(letter.id, letter);
      if (page.length === 0) break;
    }
    return await work({
      letters: [...letters.values()],
      async finish(done) {
        await queue.remove(done.map((letter) => letter.handle));
        for (const letter of done) finished.add(letter.id);
      },
    });
  } finally {
    const back = [...letters.values()].filter((letter) => !finished.has(letter.id)).map((letter) => letter.handle);
    if (back.length > 0) await queue.release(back).catch(() => undefined);
  }
}

export const listDeadLetters = defineOperation({
  name: 'dlq-list',
  summary: 'Messages on the dead-letter queues, with the reason they are there.',
  input: z.strictObject({ integration: integrationName }),
  changes: false,
  async run(connector, request) {
    const letters: ShownLetter[] = [];
    let others = 0;
    for (const { name } of integrationsOf(connector, request.integration)) {
      const count = await connector.ports.deadLetters(name).count();
      const here = await withLetters(connector, name, async (hand) => hand.letters.map((letter) => show(name, letter)));
      letters.push(...here.sort((left, right) => (left.sentAt < right.sentAt ? -1 : 1)));
      others += Math.max(0, count - here.length);
    }
    // Letters that somebody else is looking at just now, or that are more than one answer holds.
    return { letters, others };
  },
});

const which = z.strictObject({
  integration: integrationName,
  id: shortText.optional(),
  all: z.literal(true).optional(),
  /** Only letters of this cause, or of causes that begin so: `account-map:*`. */
  cause: shortText.optional(),
});

function choice(request: z.infer<typeof which>, command: string): (letter: DeadLetter) => boolean {
  const { id, all, cause } = request;
  if ([id, all, cause].filter((one) => one !== undefined).length !== 1)
    throw refused(
      'Say which: one letter, a cause, or all of them.',
      `dlq ${command} ID, or: dlq ${command} --cause CAUSE, or: dlq ${command} --all`,
    );
  const prefix = cause?.endsWith('*') ? cause.slice(0, -1) : undefined;
  return (letter) =>
    all === true ||
    letter.id === id ||
    (cause !== undefined && (prefix === undefined ? letter.reason?.cause === cause : letter.reason?.cause.startsWith(prefix) === true));
}

const counted = (count: number): string => `${count} dead letter${count === 1 ? '' : 's'}`;
const noSuchLetter = (): Error =>
  refused('There is no such dead letter, or somebody else is looking at it just now.', 'See what is there with: dlq list');

export const redriveDeadLetters = defineOperation({
  name: 'dlq-redrive',
  summary: 'Put dead letters back on the live queue: one by id, those of a cause, or all.',
  input: which,
  changes: true,
  async run(connector, request, operator) {
    const chosen = choice(request, 'redrive');
    let redriven = 0;
    const unreadable: string[] = [];
    for (const { name } of integrationsOf(connector, request.integration)) {
      const here = await withLetters(connector, name, async (hand) => {
        const mine = hand.letters.filter(chosen).map((letter) => ({ letter, message: readMessage(name, letter.body) }));
        unreadable.push(...mine.filter(({ message }) => message === undefined).map(({ letter }) => letter.id));
        const good = mine.flatMap(({ letter, message }) => (message ? [{ letter, message }] : []));
        for (let start = 0; start < good.length; start += atOnce) {
          const some = good.slice(start, start + atOnce);
          await connector.ports.queue(name).send(
            'live',
            some.map(({ message }) => ({ body: again(message) })),
          );
          await hand.finish(some.map(({ letter }) => letter));
        }
        return good.length;
      });
      redriven += here;
      if (here > 0)
        await recordOperation(connector, { integration: name, operator, sentence: `${operator.name} redrove ${counted(here)}.` });
    }
    if (redriven === 0 && unreadable.length === 0) throw noSuchLetter();
    return { redriven, unreadable };
  },
});

/** The same records, to be looked at anew: what the row was when it failed is of no use any more. */
function again(message: ChangeMessage): ChangeMessage {
  return {
    ...message,
    queue: 'live',
    attempt: 0,
    changes: message.changes.map(({ snapshot: _old, ...change }) => ({ ...change, cause: 'replay', redriven: true })),
  };
}

export const purgeDeadLetters = defineOperation({
  name: 'dlq-purge',
  summary: 'Remove dead letters for good: one by id, those of a cause, or all. Records stay held and can still be replayed.',
  input: which,
  changes: true,
  async run(connector, request, operator) {
    const chosen = choice(request, 'purge');
    let purged = 0;
    for (const { name } of integrationsOf(connector, request.integration)) {
      const gone = await withLetters(connector, name, async (hand) => {
        const mine = hand.letters.filter(chosen);
        await hand.finish(mine);
        return mine.map((letter) => show(name, letter));
      });
      purged += gone.length;
      if (gone.length === 0) continue;
      await recordOperation(connector, {
        integration: name,
        operator,
        sentence: `${operator.name} purged ${counted(gone.length)}.`,
        before: gone.slice(0, 100).map((letter) => letter.records.join(', ') || letter.id),
      });
    }
    if (purged === 0) throw noSuchLetter();
    return { purged };
  },
});
