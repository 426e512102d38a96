import * as z from 'zod';
import type { Session } from './session.ts';
import { showHolds } from './show-records.ts';
import { lettersOf, letterTable } from './show-repairs.ts';
import { counted, harmless } from './tables.ts';

/** What a command that cannot be taken back is about to do, in words to say yes or no to. */

export interface Choice {
  readonly id?: string | undefined;
  readonly all?: boolean | undefined;
  readonly cause?: string | undefined;
}

const shownLetters = 10;

export async function purgeText(session: Session, choice: Choice): Promise<string> {
  const letters = lettersOf(harmless(await session.ask('dlq-list', {})));
  const prefix = choice.cause?.endsWith('*') ? choice.cause.slice(0, -1) : undefined;
  const chosen = letters.filter(
    (letter) =>
      choice.all === true ||
      letter.id === choice.id ||
      (choice.cause !== undefined && (prefix === undefined ? letter.cause === choice.cause : letter.cause?.startsWith(prefix) === true)),
  );
  const first = `This removes ${counted(chosen.length, 'dead letter')} for good; the records stay held and can still be replayed.`;
  if (chosen.length === 0) return first;
  const others = chosen.length > shownLetters ? [`and ${chosen.length - shownLetters} more`] : [];
  return [letterTable(chosen.slice(0, shownLetters)), ...others, first].join('\n');
}

const stories = z.object({
  stories: z.array(z.object({ label: z.string(), flow: z.string(), state: z.string(), keys: z.record(z.string(), z.string()) })),
});

export async function unlinkText(
  session: Session,
  named: { readonly record: string; readonly flow?: string | undefined },
): Promise<string> {
  const found = stories.parse(harmless(await session.ask('explain', named))).stories;
  const lines = found.map(({ label, flow, state, keys }) => {
    const pairs = Object.entries(keys).map(([system, key]) => `${system} ${key}`);
    return `  ${label}  ${flow}  ${state}: ${pairs.join(' and ')}`;
  });
  return ['This forgets that these records belong together; both stay as they are:', ...lines].join('\n');
}

const flows = z.object({
  integrations: z.array(
    z.object({
      integration: z.string(),
      flows: z.array(z.object({ flow: z.string(), mode: z.string(), held: z.number(), waiting: z.number() })),
    }),
  ),
});

export async function switchOffText(session: Session, flow: string): Promise<string> {
  const { integrations } = flows.parse(harmless(await session.ask('status', {})));
  const named = integrations.flatMap((one) => one.flows.filter((each) => [each.flow, `${one.integration}.${each.flow}`].includes(flow)));
  const now = named.map(({ mode, held, waiting }) => `It is ${mode} now, with ${held} held and ${waiting} waiting.`);
  return [
    `This switches ${flow} off: what changes from now on is left out, and noted as such. To keep changes for later use: mode ${flow} paused`,
    ...now,
  ].join('\n');
}

const groups = z.object({ groups: z.array(z.object({ count: z.number() })) });

/** Up to so many records are looked at again without a question. */
const fewRecords = 20;

export async function replayText(
  session: Session,
  asked: { readonly cause?: string | undefined; readonly flow?: string | undefined },
): Promise<string | undefined> {
  const answer = harmless(await session.ask('holds', { cause: asked.cause, flow: asked.flow }));
  const count = groups.parse(answer).groups.reduce((sum, group) => sum + group.count, 0);
  if (count <= fewRecords) return undefined;
  return `${showHolds(answer)}\n\nThis looks again at ${counted(count, 'record')}.`;
}
