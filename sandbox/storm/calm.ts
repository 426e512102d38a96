import type { Link } from '../../lib/contracts/link.ts';
import { runOperation } from '../../lib/operations/operations.ts';
import { refText } from '../../lib/values/record-ref.ts';
import { remembered } from '../scenario/end-state.ts';
import type { Struck } from './faults.ts';

const hourMs = 3_600_000;
/** Rounds of calm in which nothing gets better after which nothing will. */
const patience = 3;
const mostRounds = 16;
const final: ReadonlySet<string> = new Set(['synced', 'filtered', 'gone']);

/**
 * The storm is over: every fault is gone, periods and accounts are open, tokens are fresh, flows are live. Time passes; people do what held and
 * waiting records ask of them. Answers the errors that jobs still ended with.
 */
export async function comeToRest(struck: Struck): Promise<void> {
  const { world, weather } = struck;
  await clearUp(struck);
  let before = '';
  let same = 0;
  for (let round = 0; round < mostRounds && same < patience; round += 1) {
    await world.pass(2 * 60_000);
    await world.work();
    jump(struck, round === 0 ? hourMs : 6.2 * hourMs);
    // What a flow left out while it was off or in preview comes back by a backfill alone.
    await world.poll(round === 0 && weather.counts['swept'] !== undefined ? { backfill: true } : {});
    await world.keep();
    const { links } = await remembered(world);
    const open = links.filter(({ state }) => !final.has(state));
    if (open.length === 0 && round > 1) return;
    const now = JSON.stringify(open.map(({ origin, state, trouble }) => [refText(origin), state, trouble?.cause]));
    same = now === before ? same + 1 : 0;
    before = now;
    await actOnTroubles(struck, links);
    await world.work();
  }
  weather.count('rested-late');
}

function jump({ world }: Struck, ms: number): void {
  world.time.turnTo(new Date(world.time.clock.now().getTime() + ms));
}

async function clearUp(struck: Struck): Promise<void> {
  const { world, weather, hands } = struck;
  const { zuora, acumatica } = hands;
  world.crashes.clear();
  weather.tableTrouble = 0;
  weather.doubles = 0;
  weather.skewMs = 0;
  weather.listLagMs = 0;
  weather.stallMs = 0;
  weather.tampering = 0;
  for (const simulator of Object.values(world.simulators)) simulator.clearFaults();
  world.post.pass();
  await zuora({ action: 'lose-callouts', count: 0 });
  await zuora({ action: 'delay-callouts', count: 0, ms: 0 });
  await zuora({ action: 'reorder-callouts', on: false });
  await acumatica({ action: 'set-outage', minutes: 0.01 });
  for (const period of ['022026', '032026', '042026']) await acumatica({ action: 'open-period', period });
  for (const code of ['40000', '40100', '23000']) await acumatica({ action: 'set-account', code, active: true });
  await world.consent('acumatica');
  for (const { definition } of world.operator.integrations)
    for (const { id } of definition.flows) await operate(struck, 'mode', { flow: id, mode: 'live' });
  await operate(struck, 'map', { table: 'accountMap', row: { code: 'EU Usage', account: '40100' } });
  await world.time.run(Promise.all(struck.aside));
}

function operate({ world, operator }: Struck, name: string, input: unknown): Promise<unknown> {
  return world.time.run(runOperation(world.operator, name, input, operator));
}

/** What a bookkeeper does who reads the sentences. */
async function actOnTroubles(struck: Struck, links: readonly Link[]): Promise<void> {
  const { hands, world } = struck;
  for (const link of links) {
    const cause = link.trouble?.cause ?? '';
    if (link.state !== 'held') continue;
    if (cause.startsWith('unapply:')) await reverseApplications(struck, link);
    if (cause.startsWith('verify:')) await removeDraft(struck, link);
    if (/^(deleted-in-acumatica|vanished:)/.test(cause))
      await operate(struck, 'decide', { ...named(link), decision: 'recreate' }).catch(() => undefined);
    if (cause.startsWith('refund-needs-unapply:')) await reverseAll(struck, cause.slice(cause.indexOf(':') + 1).split('/')[0] ?? '');
    await operate(struck, 'replay', named(link)).catch(() => undefined);
  }
  for (const draft of [...hands.records('acumatica', 'invoices'), ...hands.records('acumatica', 'payments')])
    if (isManual(struck) && (draft['released'] === false || (draft['pending'] as unknown[] | undefined)?.length))
      await hands.acumatica({ action: 'release-document', type: draft['type'], ref: draft['ref'] });
  for (const batch of hands.records('acumatica', 'journals'))
    if (isManual(struck) && batch['released'] === false)
      await hands.acumatica({ action: 'release-document', type: 'Journal', ref: batch['number'] });
  await world.work();
}

const isManual = ({ world }: Struck): boolean =>
  Object.values(world.operator.configuration.integrations).some(({ settings }) => (settings as { release?: string }).release === 'manual');

const named = ({ origin }: Link) => ({ flow: origin.flow, record: origin.key });

/** A draft that does not hold what it should is removed; that it is missing is then found, and it is written again. */
async function removeDraft({ hands }: Struck, link: Link): Promise<void> {
  const [type, ref] = link.postings?.at(-1)?.target?.split('/') ?? [];
  await hands.acumatica({ action: 'delete-document', type, ref });
}

type Row = Readonly<Record<string, unknown>>;

/** "Application History, row AR000123 300.00: Reverse Application, Release." Whole rows; what of them is still wanted comes back by itself. */
async function reverseApplications({ hands }: Struck, link: Link): Promise<void> {
  const fix = link.trouble?.fix ?? '';
  const source = /AR302000, (Payment|Credit Memo) (\S+),/.exec(fix);
  if (!source) return;
  const [, type, ref] = source;
  for (const [, document] of fix.matchAll(/row (\S+) [\d.,]+/g)) {
    const reverse = () => hands.acumatica({ action: 'reverse-application', type, ref, document });
    while ((await reverse()) !== undefined);
  }
}

async function reverseAll({ hands }: Struck, number: string): Promise<void> {
  const sources = hands
    .records('acumatica', 'payments')
    .filter((row: Row) => row['reference'] === number || row['description'] === `Zuora ${number}`);
  for (const source of sources)
    for (const row of (source['applications'] ?? []) as readonly Row[])
      if (row['reversed'] !== true)
        await hands.acumatica({ action: 'reverse-application', type: source['type'], ref: source['ref'], document: { ref: row['ref'] } });
}
