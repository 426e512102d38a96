import * as z from 'zod';
import type { Connector } from '../connector.ts';
import type { Change } from '../contracts/change.ts';
import type { Link } from '../contracts/link.ts';
import { packChanges } from '../engine/pack.ts';
import { Failure } from '../failures.ts';
import { integrationOf, type RecordRef, refText } from '../values/record-ref.ts';
import { defineOperation, flowsOf, integrationName, integrationsOf, isFlow, type Operator, refused, shortText } from './operation.ts';
import { operatorEntry, recordOperation } from './operator-audit.ts';
import { findRecords, fullReference } from './records.ts';

const input = z.strictObject({
  integration: integrationName,
  record: shortText.optional(),
  flow: shortText.optional(),
  /** A cause, or the beginning of one with a star: `account-map:*`. */
  cause: shortText.optional(),
  held: z.literal(true).optional(),
});
type Request = z.infer<typeof input>;

/** A record to be looked at again. */
export interface Wanted {
  readonly ref: RecordRef;
  readonly label?: string | undefined;
}

/** Looks again at a record, at everything held for one cause, or at everything held. The engine decides anew from the present state of both systems. */
export const replay = defineOperation({
  name: 'replay',
  summary: 'Look again at one record, at all records held for one cause, or at everything held.',
  input,
  changes: true,
  async run(connector, request, operator) {
    const { record, cause, held } = request;
    if (record === undefined && cause === undefined && held === undefined) {
      throw refused(
        'Nothing was named to replay.',
        'Name a record (replay INV00000417), a cause (replay --cause "account-map:EU Usage") or everything held (replay --held).',
      );
    }
    if ([record, cause, held].filter((one) => one !== undefined).length > 1)
      throw refused('A record, a cause and everything held exclude each other.', 'Name one of them: replay INV00000417');
    const wanted = record === undefined ? await heldRecords(connector, request) : await namedRecords(connector, record, request);
    if (wanted.length === 0) {
      throw record === undefined
        ? refused(`Nothing is held${cause === undefined ? '' : ` for "${cause}"`}.`, 'See what is held with: holds')
        : refused(
            `No record "${record}" is known here, and the systems have none by that number.`,
            'Check the number; flows that are off are not asked. With the vendor id: replay FLOW ID',
          );
    }
    const { ready, notes } = await byMode(connector, wanted);
    if (ready.length === 0) throw refused(notes.join(' '), 'Switch the flow on first: mode FLOW live');
    await queueChanges(connector, ready, operator);
    return { replayed: ready.map(({ ref }) => refText(ref)), notes };
  },
});

/** What is known by that name; else what a vendor has under that number; else, in a flow that was named, the vendor's own key. */
async function namedRecords(connector: Connector, text: string, request: Request): Promise<readonly Wanted[]> {
  const found = await findRecords(connector, text, request);
  if (found.length > 0) return found.map(({ ref, link }) => ({ ref, label: link.label }));
  const full = fullReference(connector, text);
  if (full) return [{ ref: full }];
  const refs: RecordRef[] = [];
  for (const { running, flow, key } of flowsOf(connector, request.integration, request.flow)) {
    const open = await running.open();
    if (open.flow(flow.id).mode === 'off') {
      if (request.flow !== undefined) refs.push({ flow: key, side: 'b', key: text });
      continue;
    }
    const side = flow.kind === 'post' ? flow.from : flow.direction === 'a-to-b' ? 'a' : 'b';
    const reader = flow.kind === 'post' ? flow.source : flow.sides[side].source;
    const keys = await unlessGone(async () => (await reader.named?.(open.context, text)) ?? []);
    refs.push(...keys.map((one): RecordRef => ({ flow: key, side, key: one })));
    if (keys.length > 0 || request.flow === undefined) continue;
    const rows = await unlessGone(async () => [...(await reader.rows(open.context, [text])).keys()]);
    if (rows.includes(text)) refs.push({ flow: key, side, key: text });
  }
  return refs.map((ref) => ({ ref }));
}

/** A vendor that says "there is no such thing" has answered the question. */
async function unlessGone(read: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Failure && error.kind === 'RecordGone') return [];
    throw error;
  }
}

async function heldRecords(connector: Connector, request: Request): Promise<readonly Wanted[]> {
  flowsOf(connector, request.integration, request.flow);
  const wanted: Wanted[] = [];
  for (const running of integrationsOf(connector, request.integration)) {
    for await (const { origin, label } of heldLinks(connector, running.name, request.cause)) {
      if (isFlow(origin.flow, request.flow)) wanted.push({ ref: origin, label });
    }
  }
  return wanted;
}

/** A flow that is off would end its records as left out, which is not what "look again" means; a paused one keeps them for later. */
async function byMode(connector: Connector, wanted: readonly Wanted[]) {
  const ready: Wanted[] = [];
  const notes = new Set<string>();
  for (const running of connector.integrations) {
    const own = wanted.filter(({ ref }) => integrationOf(ref.flow) === running.name);
    if (own.length === 0) continue;
    const open = await running.open();
    for (const one of own) {
      const flow = one.ref.flow.slice(running.name.length + 1);
      const { mode, reason } = open.flow(flow);
      if (mode === 'off') notes.add(`The flow ${flow} is off${reason === undefined || reason === 'flow-off' ? '' : `: ${reason}`}.`);
      else ready.push(one);
      if (mode === 'paused') notes.add(`The flow ${flow} is paused: its records are looked at when it goes on.`);
      if (mode === 'preview') notes.add(`The flow ${flow} is in preview: it stores plans and writes nothing.`);
    }
  }
  return { ready, notes: [...notes] };
}

/** Every held link of an integration, page by page; `cause` may end with a star. */
export async function* heldLinks(connector: Connector, integration: string, cause?: string): AsyncIterable<Link> {
  const prefix = cause?.endsWith('*') ? cause.slice(0, -1) : undefined;
  let after: string | undefined;
  do {
    const page = await connector.ports.links.listHeld(integration, {
      ...(cause === undefined || prefix !== undefined ? {} : { cause }),
      ...(after === undefined ? {} : { after }),
    });
    for (const link of page.links) if (prefix === undefined || link.trouble?.cause.startsWith(prefix)) yield link;
    after = page.next;
  } while (after !== undefined);
}

/** More than this is bulk work and gives way to what is urgent. */
const mostLive = 200;
/** Up to so many records each get a line of their own in the audit; beyond it the attempt itself says `replay`. */
const mostLines = 100;

/** Puts records back on the queue, with audit entries saying who asked. */
export async function queueChanges(connector: Connector, wanted: readonly Wanted[], operator: Operator): Promise<void> {
  const { clock, ids, audit } = connector.ports;
  const at = clock.now().toISOString();
  for (const [integration, group] of groupByIntegration(wanted)) {
    const queue = group.length > mostLive ? 'bulk' : 'live';
    const changes = group.map(({ ref }): Change => ({ ...ref, cause: 'replay', at, correlation: ids.next() }));
    await connector.ports.queue(integration).send(queue, packChanges(integration, { queue, changes }));
    if (group.length > mostLines) {
      await recordOperation(connector, {
        integration,
        operator,
        sentence: `${operator.name} asked for another look at ${group.length} records.`,
      });
    } else {
      await audit.append(
        group.map(({ ref, label }) =>
          operatorEntry(connector, {
            integration,
            operator,
            record: ref,
            label,
            sentence: `${operator.name} asked for another look at ${label ?? ref.key}.`,
          }),
        ),
      );
    }
  }
}

function groupByIntegration(wanted: readonly Wanted[]): ReadonlyMap<string, readonly Wanted[]> {
  const groups = new Map<string, Wanted[]>();
  for (const one of wanted) {
    const name = integrationOf(one.ref.flow);
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return groups;
}
