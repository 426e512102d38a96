import * as z from 'zod';
import type { Connector } from '../connector.ts';
import type { Change } from '../contracts/change.ts';
import type { Link } from '../contracts/link.ts';
import { integrationOf, type RecordRef, refText } from '../values/record-ref.ts';
import { defineOperation, integrationsOf, type Operator, refused } from './operation.ts';
import { recordOperation } from './operator-audit.ts';
import { findRecords } from './records.ts';

const input = z.strictObject({
  integration: z.string().optional(),
  record: z.string().optional(),
  flow: z.string().optional(),
  cause: z.string().optional(),
  held: z.literal(true).optional(),
});

/** Looks again at a record, at everything held for one cause, or at everything held. The engine decides anew from the present state of both systems. */
export const replay = defineOperation({
  name: 'replay',
  summary: 'Look again at one record, at all records held for one cause, or at everything held.',
  input,
  changes: true,
  async run(connector, request, operator) {
    if (request.record === undefined && request.cause === undefined && request.held === undefined) {
      throw refused(
        'Nothing was named to replay.',
        'Name a record (replay INV00000417), a cause (replay --cause "account-map:EU Usage") or everything held (replay --held).',
      );
    }
    const refs =
      request.record !== undefined ? await namedRecords(connector, request.record, request) : await heldRecords(connector, request);
    if (refs.length === 0) throw refused('No record matches.', 'See what is held with: holds');
    await queueChanges(connector, refs, operator);
    return { replayed: refs.map(refText) };
  },
});

async function namedRecords(connector: Connector, text: string, request: z.infer<typeof input>): Promise<RecordRef[]> {
  const found = await findRecords(connector, text, request.integration);
  const wanted = found.filter(({ ref }) => request.flow === undefined || ref.flow.endsWith(`.${request.flow}`)).map(({ ref }) => ref);
  if (wanted.length > 0) return wanted;
  // A record the connector has never seen can be fetched by its full reference or by flow and vendor key.
  const [flow, side, ...key] = text.split('|');
  if (flow !== undefined && (side === 'a' || side === 'b')) return [{ flow, side, key: key.join('|') }];
  if (request.flow === undefined) return [];
  return integrationsOf(connector, request.integration).flatMap((running) => {
    const definition = running.definition.flows.find((candidate) => candidate.id === request.flow);
    if (!definition) return [];
    const from = definition.kind === 'post' ? definition.from : definition.direction === 'a-to-b' ? 'a' : 'b';
    return [{ flow: `${running.name}.${definition.id}`, side: from, key: text }];
  });
}

async function heldRecords(connector: Connector, request: z.infer<typeof input>): Promise<RecordRef[]> {
  const refs: RecordRef[] = [];
  for (const running of integrationsOf(connector, request.integration)) {
    for await (const link of heldLinks(connector, running.name, request.cause)) {
      if (request.flow === undefined || link.origin.flow.endsWith(`.${request.flow}`)) refs.push(link.origin);
    }
  }
  return refs;
}

/** Every held link of an integration, page by page. */
export async function* heldLinks(connector: Connector, integration: string, cause?: string): AsyncIterable<Link> {
  let after: string | undefined;
  do {
    const page = await connector.ports.links.listHeld(integration, {
      ...(cause === undefined ? {} : { cause }),
      ...(after === undefined ? {} : { after }),
    });
    yield* page.links;
    after = page.next;
  } while (after !== undefined);
}

/** Puts records back on the live queue, with an audit entry saying who asked. */
export async function queueChanges(connector: Connector, refs: readonly RecordRef[], operator: Operator): Promise<void> {
  const { clock, ids } = connector.ports;
  const at = clock.now().toISOString();
  const byIntegration = groupByIntegration(refs);
  for (const [integration, group] of byIntegration) {
    const messages = [];
    for (let start = 0; start < group.length; start += 20) {
      const changes: Change[] = group.slice(start, start + 20).map((ref) => ({ ...ref, cause: 'replay', at, correlation: ids.next() }));
      messages.push({ body: { version: 1 as const, integration, queue: 'live' as const, changes, attempt: 0 } });
    }
    await connector.ports.queue(integration).send('live', messages);
    await recordOperation(connector, {
      integration,
      operator,
      sentence: `${operator.name} asked for another look at ${group.length} record${group.length === 1 ? '' : 's'}.`,
    });
  }
}

function groupByIntegration(refs: readonly RecordRef[]): Map<string, RecordRef[]> {
  const groups = new Map<string, RecordRef[]>();
  for (const ref of refs) {
    const name = integrationOf(ref.flow);
    groups.set(name, [...(groups.get(name) ?? []), ref]);
  }
  return groups;
}
