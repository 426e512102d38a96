import * as z from 'zod';
import type { Connector } from '../connector.ts';
import type { Outcome } from '../contracts/audit.ts';
import type { Leased, Link } from '../contracts/link.ts';
import { otherSide, type RecordRef, refText } from '../values/record-ref.ts';
import { defineOperation, integrationsOf, type Operator, refused } from './operation.ts';
import { oneRecord } from './records.ts';
import { queueChanges } from './replay.ts';

/** How long a person's act may take while it holds a record. */
const leaseMs = 60_000;

async function leased(connector: Connector, ref: RecordRef, operator: Operator): Promise<Leased> {
  const now = connector.ports.clock.now();
  const taken = await connector.ports.links.lease([ref], {
    owner: `operator ${operator.name}`,
    until: new Date(now.getTime() + leaseMs),
    now,
  });
  const lease = taken.get(refText(ref));
  if (lease && 'fence' in lease) return lease;
  throw refused('A worker is busy with this record just now.', 'Try again in a minute.');
}

function entry(
  connector: Connector,
  act: {
    readonly integration: string;
    readonly record: RecordRef;
    readonly link: Link;
    readonly operator: Operator;
    readonly sentence: string;
  },
) {
  const { clock, ids } = connector.ports;
  return {
    id: ids.next(),
    at: clock.now().toISOString(),
    integration: act.integration,
    record: refText(act.record),
    ...(act.link.label === undefined ? {} : { label: act.link.label }),
    cause: 'operator' as const,
    outcome: 'operator' as Outcome,
    sentence: act.sentence,
    operator: act.operator.name,
  };
}

/** Links two existing records by hand: the answer to an ambiguous match. */
export const linkRecords = defineOperation({
  name: 'link',
  summary: 'Link two records that already exist on both sides.',
  input: z.strictObject({ integration: z.string().optional(), flow: z.string(), a: z.string().min(1), b: z.string().min(1) }),
  changes: true,
  async run(connector, request, operator) {
    const running = integrationsOf(connector, request.integration).find(({ definition }) =>
      definition.flows.some((flow) => flow.id === request.flow),
    );
    const flow = running?.definition.flows.find((candidate) => candidate.id === request.flow);
    if (!running || !flow) throw refused(`There is no flow "${request.flow}".`, 'See the flows with: status');
    const from = flow.kind === 'post' ? flow.from : flow.direction === 'a-to-b' ? 'a' : 'b';
    const named = from === 'a' ? request.a : request.b;
    const known = await oneRecord(connector, named, { integration: running.name, flow: request.flow }).catch(() => undefined);
    const origin = known?.ref ?? { flow: `${running.name}.${flow.id}`, side: from, key: named };
    const lease = await leased(connector, origin, operator);
    const target = from === 'a' ? request.b : request.a;
    const { trouble: _trouble, troubleSince: _since, ...link } = lease.link;
    const linked: Link = {
      ...link,
      keys: { ...link.keys, [otherSide(origin.side)]: target },
      state: 'working',
      updatedAt: connector.ports.clock.now().toISOString(),
    };
    await connector.ports.links.commit({ ...lease, link: linked }, [
      entry(connector, {
        integration: running.name,
        record: origin,
        link: linked,
        operator,
        sentence: `${operator.name} linked ${link.label ?? origin.key} to ${target}.`,
      }),
    ]);
    await queueChanges(connector, [origin], operator);
    return { record: refText(origin), keys: linked.keys };
  },
});

/** Forgets a link; both records stay as they are, and the next change looks for a match again. */
export const unlinkRecords = defineOperation({
  name: 'unlink',
  summary: 'Forget that two records belong together; both stay as they are.',
  input: z.strictObject({ integration: z.string().optional(), flow: z.string().optional(), record: z.string().min(1) }),
  changes: true,
  async run(connector, request, operator) {
    const { ref } = await oneRecord(connector, request.record, {
      ...(request.integration === undefined ? {} : { integration: request.integration }),
      ...(request.flow === undefined ? {} : { flow: request.flow }),
    });
    const lease = await leased(connector, ref, operator);
    const integration = ref.flow.slice(0, ref.flow.indexOf('.'));
    await connector.ports.links.remove(lease, [
      entry(connector, {
        integration,
        record: ref,
        link: lease.link,
        operator,
        sentence: `${operator.name} removed the link of ${lease.link.label ?? ref.key}.`,
      }),
    ]);
    return { record: refText(ref) };
  },
});

/** Answers a hold that offers choices: create although candidates exist, recreate, ignore, next generation. */
export const decide = defineOperation({
  name: 'decide',
  summary: 'Answer a hold that offers choices, such as create, recreate or ignore.',
  input: z.strictObject({
    integration: z.string().optional(),
    flow: z.string().optional(),
    record: z.string().min(1),
    decision: z.string().regex(/^[a-z-]{3,40}$/, 'a word such as create, recreate, ignore'),
  }),
  changes: true,
  async run(connector, request, operator) {
    const { ref } = await oneRecord(connector, request.record, {
      ...(request.integration === undefined ? {} : { integration: request.integration }),
      ...(request.flow === undefined ? {} : { flow: request.flow }),
    });
    const lease = await leased(connector, ref, operator);
    const integration = ref.flow.slice(0, ref.flow.indexOf('.'));
    const link: Link = { ...lease.link, decision: request.decision, updatedAt: connector.ports.clock.now().toISOString() };
    await connector.ports.links.commit({ ...lease, link }, [
      entry(connector, {
        integration,
        record: ref,
        link,
        operator,
        sentence: `${operator.name} decided for ${link.label ?? ref.key}: ${request.decision}.`,
      }),
    ]);
    await queueChanges(connector, [ref], operator);
    return { record: refText(ref), decision: request.decision };
  },
});
