import type { Memory, Move, PostFlow, Screen } from '../../../contracts/flow.ts';
import type { Failure } from '../../../failures.ts';
import { addDays } from '../../../values/calendar-date.ts';
import { postedDraft } from '../ar-draft.ts';
import { type Journal, journalSchema } from '../canonical.ts';
import type { PairContext } from '../context.ts';
import { hold, unknownValue } from '../holds.ts';
import {
  type BatchDraft,
  batchDraftSchema,
  journalContent,
  journalPrint,
  mapBatchReversal,
  mapJournal,
} from '../maps/zuora-journal-to-gl-batch.ts';
import { asJson } from '../money-draft.ts';
import { ownerOf } from '../ownership.ts';
import { journalsNamed } from '../sources/by-number.ts';
import { fetchJournals, journalFeed, journalKey } from '../sources/journals.ts';
import { standingOf } from '../standing.ts';
import { glBatchTarget } from '../targets/gl-batch.ts';
import { decideByContent, memberOf, vanished } from './shared.ts';

type JournalFlow = PostFlow<Journal, Journal, BatchDraft, PairContext>;

/** Only what has no AR document: releasing a document already posts it to the ledger. */
export const journals: JournalFlow = {
  id: 'journals',
  kind: 'post',
  summary: 'A summary journal entry of a completed Zuora journal run becomes a posted GL batch.',
  offByDefault: true,
  from: 'b',
  wakes: { webhooks: [], pollNow: ['JournalRunCompletion'], poll: '0 6 * * *' },
  source: {
    feeds: () => [journalFeed],
    rows: fetchJournals,
    named: journalsNamed,
    row: journalSchema,
    describe: (journal) => ({ key: journalKey(journal.run, journal.number), label: journal.number, header: journalPrint(journal) }),
  },
  screen,
  async gather(context, rows) {
    await context.loadBooks(rows.map((row) => row.date));
    return new Map<string, Journal | Failure>(rows.map((row) => [journalKey(row.run, row.number), row]));
  },
  decide,
  references: () => [],
  map: (journal, move, { context }) =>
    mapJournal(journal, { generation: move.generation, settings: context.settings, books: context.books() }),
  remember: (journal) => asJson(journal),
  target: glBatchTarget(),
  reversal: {
    map: (_journal, move, { posting, context }) =>
      mapBatchReversal(postedDraft(batchDraftSchema, posting), {
        generation: move.generation,
        on: move.on,
        settings: context.settings,
        books: context.books(),
      }),
    target: glBatchTarget(),
  },
};

const cancelled = ['Cancelled', 'Canceled'];

function screen(row: Journal | undefined, memory: Memory | undefined, context: PairContext): Screen {
  const { latest } = standingOf(memory ?? {});
  if (row === undefined) {
    if (latest !== undefined && memory?.decision !== 'ignore') throw vanished(latest.marker);
    return { is: 'go' };
  }
  if (latest !== undefined) return { is: 'go' };
  if (row.transferred === 'Ignore') return { is: 'filtered', rule: 'ignored-in-zuora' };
  if (row.status !== 'Created') return { is: 'filtered', rule: `status:${row.status}` };
  const { startFrom } = context.settings;
  if ((row.to ?? row.date) < startFrom) return { is: 'filtered', rule: 'before-start' };
  if (memory?.decision === 'ignore') return { is: 'filtered', rule: 'ignored' };
  if ((row.from ?? row.date) < startFrom)
    throw hold(
      'straddles-cutover',
      `${row.number} covers ${row.from ?? row.date} to ${row.to ?? row.date}; startFrom ${startFrom} lies inside, so a part of it may be booked already.`,
      `Run the journal in Zuora in two: until ${addDays(startFrom, -1)} and from ${startFrom}.`,
    );
  const owner = ownerOf(row.type, context.settings);
  return owner.is === 'journal' ? { is: 'go' } : { is: 'filtered', rule: owner.rule };
}

function decide(journal: Journal, memory: Memory, context: PairContext): Move {
  const counts = journal.status === 'Created';
  if (!counts && !cancelled.includes(journal.status)) throw unknownValue('status', journal.status, journal.number);
  return decideByContent({
    label: journal.number,
    memory,
    corrections: context.settings.corrections,
    counts,
    status: journal.status,
    content: journalContent(journal),
    changedOn: context.today,
    never: `status:${journal.status}`,
    settled: () => ({ do: 'settle', outcome: 'unchanged' }),
    contentOf: (draft) => memberOf(draft, 'content'),
  });
}
