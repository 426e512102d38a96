import { catalog } from '../../lib/catalog.ts';
import type { Link } from '../../lib/contracts/link.ts';
import { refText } from '../../lib/values/record-ref.ts';
import { kestrel } from '../companies/kestrel.ts';
import { remembered, totalOf, writesOf } from '../scenario/end-state.ts';
import type { World } from '../world.ts';
import type { Evidence, Expected, Finding } from './finding.ts';
import type { Hands } from './office.ts';
import { judgeCustomers } from './oracle-customers.ts';
import { judgeDocuments } from './oracle-documents.ts';
import { judgeLinks, judgeTraces } from './oracle-memory.ts';
import { judgeLedger, judgeMoney } from './oracle-money.ts';
import { readSystems } from './systems.ts';
import type { Weather } from './weather.ts';

export interface Judged {
  readonly findings: readonly Finding[];
  readonly left: Readonly<Record<string, number>>;
  readonly records: number;
}

export interface Case {
  readonly world: World;
  readonly weather: Weather;
  readonly hands: Hands;
  /** Fields people changed in the ERP, by customer. */
  readonly edited: ReadonlyMap<string, ReadonlySet<string>>;
  /** Errors of jobs up to here belong to the storm. */
  readonly errorsBefore: number;
}

/** Writes a record may cost, all its stages, corrections and repeats after lost answers together. */
const writesPerRecord = 30;

/** The judgement at the end of a history. It asks both systems, and the connector only where it admits to be behind. */
export async function judge(given: Case): Promise<Judged> {
  const { world, weather, hands } = given;
  const { links, audit } = await remembered(world);
  const byRecord = new Map(links.map((link) => [refText(link.origin), link]));
  const evidence: Evidence = {
    systems: readSystems(hands),
    expected: expectedOf(world),
    link: (flow, key) => byRecord.get(`${world.integration}.${flow}|b|${key}`),
    links: () => links,
    isNoted: (key, remark) => audit.some(({ record, reason }) => record.endsWith(`|${key}`) && reason?.includes(remark) === true),
  };
  const writes = totalOf(writesOf(world, kestrel, 'acumatica'));
  const findings = [
    ...judgeDocuments(evidence),
    ...judgeMoney(evidence),
    ...judgeLedger(evidence),
    ...judgeCustomers(evidence, given.edited),
    ...judgeLinks(links, audit),
    ...(await judgeTraces(world, weather, { links, audit, errorsBefore: given.errorsBefore })),
  ];
  if (writes > 200 + links.length * writesPerRecord)
    findings.push({ kind: 'loop', what: `${writes} writes for ${links.length} records`, records: [] });
  findings.push(...(await judgeQuiet(given)));
  return { findings, left: leftOf(links), records: links.length };
}

/** Silence: another full poll and every webhook once more write nothing. */
async function judgeQuiet({ world, weather }: Case): Promise<readonly Finding[]> {
  for (const simulator of Object.values(world.simulators)) simulator.resetCalls();
  await world.poll();
  await world.time.run(world.post.repeat({ times: 1 }));
  await world.work();
  const before = weather.sent;
  await world.time.run(world.post.repeat({ times: 1, newRequestId: true }));
  const again = weather.sent - before;
  const heard: readonly Finding[] =
    again === 0 ? [] : [{ kind: 'loop', what: `${again} messages for webhooks that were taken in before`, records: [] }];
  const written = Object.keys(world.simulators).flatMap((system): readonly Finding[] => {
    const writes = writesOf(world, kestrel, system);
    if (totalOf(writes) === 0) return [];
    return [{ kind: 'loop', what: `a poll and a repeat of every webhook wrote to ${system}: ${JSON.stringify(writes)}`, records: [] }];
  });
  return [...heard, ...written];
}

function expectedOf(world: World): Expected {
  const written = world.operator.configuration.integrations[world.integration]?.settings as Partial<Record<string, unknown>>;
  return {
    startFrom: String(written['startFrom']),
    deferred: written['revenue'] === 'zuora-journals',
    journals: written['revenue'] === 'zuora-journals',
    preCutover: String(written['preCutover']),
  };
}

/** What people still have to decide, by kind of cause. */
function leftOf(links: readonly Link[]): Readonly<Record<string, number>> {
  const left: Record<string, number> = {};
  for (const { state, trouble } of links) {
    if (state !== 'held' && state !== 'waiting') continue;
    const name = `${state} ${(trouble?.cause ?? '').split(':')[0]}`;
    left[name] = (left[name] ?? 0) + 1;
  }
  return left;
}

export const flowsOfStorm: readonly string[] = catalog.integrations.flatMap(({ flows }) => flows.map(({ id }) => id));
