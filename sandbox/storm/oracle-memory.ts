import type { AuditEntry } from '../../lib/contracts/audit.ts';
import type { Link } from '../../lib/contracts/link.ts';
import { refText } from '../../lib/values/record-ref.ts';
import type { World } from '../world.ts';
import type { Finding } from './finding.ts';
import type { Weather } from './weather.ts';

/** Holds that need a decision nobody takes in a storm; what they name must be true, and the documents behind them are not compared. */
const persons: readonly RegExp[] = [/^pre-cutover-(document|source):?/];

const final: ReadonlySet<string> = new Set(['synced', 'filtered', 'gone', 'held', 'waiting']);

/** Every record ended in one state, with the audit to prove it. */
export function judgeLinks(links: readonly Link[], audit: readonly AuditEntry[]): readonly Finding[] {
  const findings: Finding[] = [];
  const told = new Map<string, AuditEntry[]>();
  for (const entry of audit) told.set(entry.record, [...(told.get(entry.record) ?? []), entry]);
  const held = new Set(links.filter(({ state }) => state === 'held').map(({ origin }) => refText(origin)));
  const waiting = new Map(links.filter(({ state }) => state === 'waiting').map((link) => [refText(link.origin), link]));
  for (const link of links) {
    const record = refText(link.origin);
    const records = [link.label ?? record, record];
    const cause = link.trouble?.cause ?? '';
    const story = told.get(record) ?? [];
    if (!final.has(link.state))
      findings.push({
        kind: 'lost',
        what: `${records[0]} ends ${link.state}${link.intent ? ` with an open ${link.intent.stage}` : ''}`,
        records,
      });
    if (link.state === 'synced' && link.intent)
      findings.push({ kind: 'lost', what: `${records[0]} is settled with an open intent`, records });
    if (link.state === 'held' && !persons.some((pattern) => pattern.test(cause)))
      findings.push({ kind: 'lost', what: `${records[0]} stays held: ${cause}: ${link.trouble?.sentence ?? ''}`, records });
    if (link.state === 'held' && !story.some((entry) => entry.outcome === 'held' && entry.reason === cause))
      findings.push({ kind: 'audit', what: `${records[0]} is held for ${cause} and the audit does not say so`, records });
    if (link.state === 'waiting' && !leadsTo(link, held, waiting))
      findings.push({ kind: 'lost', what: `${records[0]} waits for nothing that will come: ${cause}`, records });
    const fences = story.filter((entry) => entry.outcome !== 'unchanged').flatMap((entry) => entry.fence ?? []);
    if (fences.some((fence, index) => fence < (fences[index - 1] ?? 0)))
      findings.push({ kind: 'audit', what: `${records[0]} was written under an old fence: ${fences.join(' ')}`, records });
    for (const posting of link.postings ?? []) {
      if (posting.stage !== 'posted' && posting.stage !== 'reversed') continue;
      if (
        !link.origin.flow.endsWith('.applications') &&
        !story.some((entry) => entry.target === posting.target || entry.sentence.includes(posting.target ?? ''))
      )
        findings.push({ kind: 'audit', what: `${records[0]} was posted as ${posting.target} and the audit does not say so`, records });
    }
  }
  return findings;
}

/** Whether what a record waits for is in a person's hands. */
function leadsTo(link: Link, held: ReadonlySet<string>, waiting: ReadonlyMap<string, Link>): boolean {
  const seen = new Set<string>();
  for (let next: Link | undefined = link; next !== undefined; ) {
    const dependency: string | undefined = next.trouble?.dependency;
    if (dependency === undefined || seen.has(dependency)) return false;
    if (held.has(dependency)) return true;
    seen.add(dependency);
    next = waiting.get(dependency);
  }
  return false;
}

/** Nothing broke inside, and nothing secret can be read anywhere. */
export async function judgeTraces(
  world: World,
  weather: Weather,
  known: { readonly links: readonly Link[]; readonly audit: readonly AuditEntry[]; readonly errorsBefore: number },
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { at, job, error } of world.errors.slice(known.errorsBefore))
    findings.push({
      kind: 'unrest',
      what: `${job} at ${at} failed in calm: ${error instanceof Error ? error.message : String(error)}`,
      records: [],
    });
  for (const { event, fields } of world.log.lines)
    if (event === 'engine.defect') findings.push({ kind: 'defect', what: JSON.stringify(fields).slice(0, 400), records: [] });
  for (const { record, failure, sentence } of known.audit)
    if (failure?.kind === 'Defect' || failure?.kind === 'RequestMalformed')
      findings.push({ kind: 'defect', what: `${sentence} ${failure.said ?? ''}`, records: [record] });
  if ((weather.counts['forged-accepted'] ?? 0) > 0) findings.push({ kind: 'forged', what: 'a forged webhook was taken', records: [] });
  const readable = JSON.stringify([world.log.lines, known.audit, known.links, world.alerts.raised]);
  for (const secret of await secretsOf(world, weather))
    if (readable.includes(secret))
      findings.push({ kind: 'secret', what: `a credential of ${secret.length} characters can be read`, records: [] });
  return findings;
}

async function secretsOf(world: World, weather: Weather): Promise<ReadonlySet<string>> {
  const { configuration, integrations, ports } = world.operator;
  const all = new Set(weather.tokens);
  const fields = integrations.flatMap(({ definition: { sides } }) => [...sides.a.credentials, ...sides.b.credentials]);
  const hidden = new Set(fields.filter((field) => field.secret).map((field) => field.name));
  for (const { secret } of Object.values(configuration.connections))
    for (const [name, value] of Object.entries(await ports.secrets.fetch(secret))) if (hidden.has(name)) all.add(value.reveal());
  return new Set([...all].filter((secret) => secret.length >= 8));
}
