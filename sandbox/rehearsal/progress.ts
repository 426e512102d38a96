import * as z from 'zod';
import { machineClock } from '../cloud/clock.ts';
import { compareBooks } from '../companies/kestrel-comparison.ts';
import type { Rehearsal } from './start-rehearsal.ts';

const document = z.object({ type: z.string(), released: z.boolean().optional() });
const lookEveryMs = 1_000;
/** Nobody reads a line per second in a log file. */
const lookEveryMsInLog = 5_000;
/** So many looks in a row find nothing to do before it counts as rest: a function may be about to send what it decided. */
const looksAtRest = 3;
const soonMs = 10_000;

/** One line that lives at the bottom of a terminal; in a pipe a plain line now and then. */
export interface LiveLine {
  show(text: string): void;
  end(): void;
}

export function createLiveLine(out: NodeJS.WriteStream): LiveLine {
  let shownAt = 0;
  let last = '';
  return {
    show(text) {
      if (out.isTTY) {
        out.write(`\r\x1b[2K${text.slice(0, Math.max(20, (out.columns ?? 120) - 1))}`);
        last = text;
        return;
      }
      const now = machineClock.now().getTime();
      if (text === last || now - shownAt < lookEveryMsInLog) return;
      out.write(`${text}\n`);
      [shownAt, last] = [now, text];
    },
    end() {
      if (out.isTTY && last !== '') out.write('\n');
      last = '';
    },
  };
}

/** Where everything stands, read from the simulated systems and the queues alone: asking the connector would slow it down. */
function standOf({ systems, depth }: Rehearsal): string {
  const of = (noun: string): readonly z.infer<typeof document>[] =>
    z.array(document).parse(systems.simulators['acumatica']?.records(noun) ?? []);
  const released = (noun: string, types: readonly string[]): number =>
    of(noun).filter(({ type, released: isReleased }) => isReleased === true && types.includes(type)).length;
  const billed = (noun: string, status: string): number =>
    (systems.simulators['zuora']?.records(noun) ?? []).filter((row) => row['status'] === status).length;
  const [live, bulk, dead] = [depth('live'), depth('bulk'), depth('dead')];
  const queued = live.waiting + live.inFlight + bulk.waiting + bulk.inFlight;
  return [
    `customers ${systems.simulators['acumatica']?.records('customers').length ?? 0}`,
    `invoices ${released('invoices', ['Invoice'])}/${billed('invoices', 'Posted')}`,
    `credit memos ${released('invoices', ['Credit Memo'])}/${billed('creditMemos', 'Posted')}`,
    `payments ${released('payments', ['Payment'])}/${billed('payments', 'Processed')}`,
    `refunds ${released('payments', ['Refund', 'Voided Payment'])}/${billed('refunds', 'Processed')}`,
    `queue ${queued}${live.delayed + bulk.delayed > 0 ? ` (+${live.delayed + bulk.delayed} later)` : ''}`,
    `held ${dead.waiting + dead.inFlight + dead.delayed}`,
  ].join(' · ');
}

/** Shows how it goes until nothing is left to do, or `mostMs` have passed. Answers whether it came to rest. */
export async function untilRest(
  rehearsal: Rehearsal,
  given: { readonly line: LiveLine; readonly mostMs: number; readonly since: Date; readonly signal: AbortSignal },
): Promise<boolean> {
  const end = machineClock.now().getTime() + given.mostMs;
  let atRest = 0;
  while (!given.signal.aborted && machineClock.now().getTime() < end) {
    const seconds = Math.round((machineClock.now().getTime() - given.since.getTime()) / 1000);
    given.line.show(`${String(Math.floor(seconds / 60))}:${String(seconds % 60).padStart(2, '0')}  ${standOf(rehearsal)}`);
    atRest = isAtRest(rehearsal) ? atRest + 1 : 0;
    if (atRest >= looksAtRest) return true;
    await machineClock.sleep(lookEveryMs, given.signal);
  }
  return false;
}

/** Messages that come back later are waited for, unless every document is where it is meant to be: then they find nothing to do. */
function isAtRest(rehearsal: Rehearsal): boolean {
  const queues = [rehearsal.depth('live'), rehearsal.depth('bulk')];
  if (queues.some(({ waiting, inFlight }) => waiting + inFlight > 0)) return false;
  if (isCalling(rehearsal)) return false;
  return queues.every(({ delayed }) => delayed === 0) || isComplete(rehearsal);
}

/** Webhooks are on their way, or about to leave. A repetition minutes from now is not waited for: a poll is faster. */
function isCalling({ systems }: Rehearsal): boolean {
  const soon = machineClock.now().getTime() + soonMs;
  const isSending = (systems.simulators['zuora']?.records('callouts') ?? []).some((callout) => callout['state'] === 'sending');
  return isSending || Object.values(systems.simulators).some((simulator) => (simulator.nextDue?.()?.getTime() ?? soon) < soon);
}

function isComplete({ systems, company, startFrom }: Rehearsal): boolean {
  const { heldOnPurpose } = company;
  return compareBooks(systems.simulators).documents.every(
    ({ booked, number, account, date }) => booked.length === 1 || date < startFrom || number in heldOnPurpose || account in heldOnPurpose,
  );
}
