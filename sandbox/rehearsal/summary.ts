import * as z from 'zod';
import { ask } from '../../cli/connection.ts';
import { fingerprint } from '../../lib/values/json.ts';
import { type Compared, type Comparison, compareBooks } from '../companies/kestrel-comparison.ts';
import type { Rehearsal } from './start-rehearsal.ts';

/** Why the books do not have a document. */
export interface Absence {
  readonly document: Compared;
  readonly state: 'before-start' | 'filtered' | 'planned' | 'held' | 'waiting' | 'on-the-way' | 'unknown';
  /** For people, beginning in lower case. */
  readonly because: string;
  /** False: nobody meant it to be so. */
  readonly isExpected: boolean;
}

/** Where both sides stand. */
export interface Figures {
  readonly comparison: Comparison;
  readonly absences: readonly Absence[];
  /** Documents that are there with another amount, or more than once. */
  readonly differences: readonly Compared[];
  /** What the connector holds, as the operation `holds` answers. */
  readonly holds: unknown;
  /** Calls since the rehearsal opened, by system. */
  readonly calls: Readonly<Record<string, { readonly reads: number; readonly writes: number }>>;
  /** Equal figures, equal text. */
  readonly fingerprint: string;
}

const story = z.object({
  flow: z.string(),
  label: z.string(),
  state: z.string(),
  note: z.string().optional(),
  trouble: z.object({ cause: z.string(), sentence: z.string() }).optional(),
});
const explained = z.object({ stories: z.array(story) });

export async function takeFigures(rehearsal: Rehearsal): Promise<Figures> {
  const { systems, target } = rehearsal;
  const comparison = compareBooks(systems.simulators);
  const calls = Object.fromEntries(
    Object.entries(systems.simulators).map(([name, simulator]) => [
      name,
      callsOf(simulator.calls(), rehearsal.company.systems[name]?.reads ?? []),
    ]),
  );
  const absences: Absence[] = [];
  for (const document of comparison.documents.filter(({ booked }) => booked.length === 0))
    absences.push(await explain(rehearsal, document));
  const differences = comparison.documents.filter(
    ({ booked, amount }) => booked.length > 1 || booked.some((there) => there.amount !== amount),
  );
  const holds = await ask(target, 'holds', {});
  return {
    ...{ comparison, absences, differences, holds, calls },
    fingerprint: fingerprint({
      documents: comparison.documents.map(({ number, amount, booked }) => ({ number, amount, booked })),
      absences: absences.map(({ document, because }) => `${document.number} ${because}`),
      receivables: Object.fromEntries(comparison.receivables),
    }),
  };
}

async function explain(rehearsal: Rehearsal, document: Compared): Promise<Absence> {
  if (document.date < rehearsal.startFrom)
    return { document, state: 'before-start', because: `dated before ${rehearsal.startFrom}, the first day that moves`, isExpected: true };
  const told = await storyOf(rehearsal, document);
  if (told === undefined) return { document, state: 'unknown', because: 'the connector never saw it', isExpected: false };
  const { state, trouble, note } = told;
  if (state === 'filtered') return { document, state, because: `left out: ${note ?? 'by a rule'}`, isExpected: true };
  if (state === 'planned')
    return { document, state, because: 'planned only: its flow is in preview', isExpected: rehearsal.ownConfiguration };
  if (state === 'held')
    return { document, state, because: trouble?.sentence ?? 'held', isExpected: isMeant(rehearsal, document.number, trouble?.cause ?? '') };
  if (state === 'waiting') {
    // Whatever belongs to an account whose customer is held on purpose waits on purpose, too.
    const isExpected = rehearsal.ownConfiguration || document.account in rehearsal.company.heldOnPurpose;
    return { document, state, because: trouble?.sentence ?? 'waits for another record', isExpected };
  }
  return {
    document,
    state: 'on-the-way',
    because: `still ${state}${trouble === undefined ? '' : `: ${trouble.sentence}`}`,
    isExpected: false,
  };
}

function isMeant(rehearsal: Rehearsal, number: string, cause: string): boolean {
  const meant = rehearsal.company.heldOnPurpose[number];
  return rehearsal.ownConfiguration || (meant !== undefined && cause.startsWith(meant));
}

async function storyOf(rehearsal: Rehearsal, document: Compared) {
  try {
    const { stories } = explained.parse(await ask(rehearsal.target, 'explain', { record: document.number }));
    return stories.find((each) => each.label === document.number && !each.flow.endsWith('.applications')) ?? stories[0];
  } catch (error) {
    // The operation refuses a record that it does not know.
    if (error instanceof Error && error.message.includes('No record')) return undefined;
    throw error;
  }
}

function callsOf(calls: Readonly<Record<string, number>>, readsOf: readonly string[]): { readonly reads: number; readonly writes: number } {
  const isRead = (operation: string): boolean =>
    operation.startsWith('GET ') ||
    readsOf.some((pattern) => new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(operation));
  let reads = 0;
  let writes = 0;
  for (const [operation, count] of Object.entries(calls)) {
    if (isRead(operation)) reads += count;
    else writes += count;
  }
  return { reads, writes };
}
