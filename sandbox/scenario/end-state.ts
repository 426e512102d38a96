import type { AuditEntry } from '../../lib/contracts/audit.ts';
import type { Link } from '../../lib/contracts/link.ts';
import { circuitKey } from '../../lib/engine/state-keys.ts';
import { refText } from '../../lib/values/record-ref.ts';
import type { Company } from '../company.ts';
import type { World } from '../world.ts';
import { isLike } from './matching.ts';

/** What the connector remembers at this moment. */
export interface Remembered {
  readonly links: readonly Link[];
  readonly audit: readonly AuditEntry[];
}

/** The ports are in memory: nothing here takes time of the world's clock. */
export async function remembered(world: World, wanted = { links: true, audit: true }): Promise<Remembered> {
  const { ports, integrations } = world.operator;
  const links: Link[] = [];
  for (const running of wanted.links ? integrations : []) {
    for (const flow of running.definition.flows) {
      links.push(...(await pages((after) => ports.links.list(`${running.name}.${flow.id}`, after), 'links')));
    }
  }
  const audit = !wanted.audit ? [] : await pages((after) => ports.audit.query({ integration: world.integration, ...after }), 'entries');
  return { links, audit };
}

async function pages<Member extends string, One>(
  read: (from: { readonly after?: string }) => Promise<{ readonly [member in Member]: readonly One[] } & { readonly next?: string }>,
  member: Member,
): Promise<One[]> {
  const all: One[] = [];
  let after: string | undefined;
  do {
    const page = await read(after === undefined ? {} : { after });
    all.push(...page[member]);
    after = page.next;
  } while (after !== undefined);
  return all;
}

/** Whether a person means this link: by its label, the beginning of its label, or a key on either side. */
export function isMeant(link: Link, text: string): boolean {
  return link.label === text || link.label?.startsWith(`${text} `) === true || Object.values(link.keys).includes(text);
}

/** The links and the audit entries of a record as a person names it. */
export function recordsMeant(state: Remembered, text: string): ReadonlySet<string> {
  const own = state.links.filter((link) => isMeant(link, text)).map((link) => refText(link.origin));
  const told = state.audit.filter((entry) => entry.label === text || entry.label?.startsWith(`${text} `)).map((entry) => entry.record);
  return new Set([...own, ...told]);
}

/** Calls to a system that change something, by operation. */
export function writesOf(world: World, company: Company, system: string): Readonly<Record<string, number>> {
  const reads = company.systems[system]?.reads ?? [];
  return Object.fromEntries(
    Object.entries(world.simulators[system]?.calls() ?? {}).filter(
      ([operation]) => !/^(GET|HEAD) /.test(operation) && !reads.some((pattern) => isLike(pattern, operation)),
    ),
  );
}

export const totalOf = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Whether the connection to a system is paused. */
export async function isPaused(world: World, system: string): Promise<boolean> {
  const { ports, configuration } = world.operator;
  const names = Object.entries(configuration.connections).filter(([, connection]) => connection.vendor === system);
  for (const [name] of names) if (await ports.state.get(circuitKey(name))) return true;
  return false;
}

/** Everything there is at the end, as plain JSON: what `--json` prints. */
export async function endState(world: World, company: Company) {
  const { links, audit } = await remembered(world);
  const deadLetters = await world.queues.deadLetters.receive({ limit: 1000, visibilitySeconds: 0 });
  return {
    at: world.time.clock.now().toISOString(),
    systems: Object.fromEntries(
      Object.entries(company.systems).map(([system, { nouns }]) => [
        system,
        Object.fromEntries(nouns.map((noun) => [noun, world.simulators[system]?.records(noun) ?? []])),
      ]),
    ),
    links,
    audit,
    holds: troubles(links, 'held'),
    waiting: troubles(links, 'waiting'),
    deadLetters: deadLetters.map(({ id, body, reason, sentAt }) => ({ id, sentAt: sentAt.toISOString(), reason, body })),
    alerts: world.alerts.raised,
    calls: Object.fromEntries(Object.entries(world.simulators).map(([system, simulator]) => [system, simulator.calls()])),
    writes: Object.fromEntries(Object.keys(world.simulators).map((system) => [system, writesOf(world, company, system)])),
  };
}

/** Records in trouble, grouped by cause. */
export function troubles(links: readonly Link[], state: 'held' | 'waiting'): Readonly<Record<string, readonly string[]>> {
  const groups: Record<string, string[]> = {};
  for (const link of links.filter((one) => one.state === state)) {
    const cause = link.trouble?.cause ?? 'unknown';
    groups[cause] = [...(groups[cause] ?? []), link.label ?? refText(link.origin)];
  }
  return groups;
}
