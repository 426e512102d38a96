import * as z from 'zod';
import type { Connector } from '../connector.ts';
import type { AuditEntry } from '../contracts/audit.ts';
import type { Leased, Link } from '../contracts/link.ts';
import { integrationOf, otherSide, type RecordRef, refText, type Side } from '../values/record-ref.ts';
import { defineOperation, flowsOf, integrationName, type NamedFlow, type Operator, refused, shortText } from './operation.ts';
import { operatorEntry } from './operator-audit.ts';
import { findRecords, oneRecord } from './records.ts';
import { queueChanges } from './replay.ts';

/** How long a person's act may take while it holds a record. */
const leaseMs = 60_000;
/** A write whose answer was lost may still land this long after it left: the longest the last look of a flow waits, and a little. */
const mayLandMs = 15 * 60_000;

/** Does one thing to a record that nobody else works on, and gives it back whatever happens. */
async function holding<Result>(
  connector: Connector,
  ref: RecordRef,
  operator: Operator,
  act: (leased: Leased) => Promise<Result>,
): Promise<Result> {
  const { clock, links } = connector.ports;
  const now = clock.now();
  const taken = await links.lease([ref], { owner: `operator ${operator.name}`, until: new Date(now.getTime() + leaseMs), now });
  const leased = taken.get(refText(ref));
  if (leased === undefined || !('fence' in leased)) throw refused('A worker is busy with this record just now.', 'Try again in a minute.');
  try {
    return await act(leased);
  } catch (error) {
    // The lease would end by itself within a minute; whoever tries again should not have to wait for that.
    await links.release([leased]).catch(() => undefined);
    throw error;
  }
}

/** While a write may still land, a person's act would let the engine forget to look for it: the document would be there twice. */
function refuseUnderWay(connector: Connector, { intent, label, origin }: Link): void {
  if (intent === undefined) return;
  const until = new Date(Date.parse(intent.sentAt) + mayLandMs);
  if (connector.ports.clock.now() >= until) return;
  throw refused(
    `A write of ${label ?? origin.key} left at ${intent.sentAt} and its outcome is not known yet.`,
    `Wait until ${until.toISOString()}: by then the connector has found out whether it arrived. Then look with: explain ${label?.split(' ')[0] ?? origin.key}`,
  );
}

/** What the record was before and after a person's act, without the documents inside. */
const shown = (link: Link): Record<string, string> => ({
  state: link.state,
  ...(link.keys.a === undefined ? {} : { a: link.keys.a }),
  ...(link.keys.b === undefined ? {} : { b: link.keys.b }),
});

/** Links two existing records by hand: the answer to an ambiguous match. */
export const linkRecords = defineOperation({
  name: 'link',
  summary: 'Link two records that already exist on both sides.',
  input: z.strictObject({ integration: integrationName, flow: shortText, a: shortText, b: shortText }),
  changes: true,
  async run(connector, request, operator) {
    const [named, ...others] = flowsOf(connector, request.integration, request.flow);
    if (!named || others.length > 0) throw refused(`"${request.flow}" is a flow of several integrations.`, 'Add one: --integration NAME');
    const { flow, key: flowKey } = named;
    if (flow.kind === 'post') {
      throw refused(
        `Documents of ${flow.id} are not linked by hand: each is found again by the reference written on it.`,
        'Put the number of the source document into the reference of the target document (Customer Order, Payment Ref.), then replay it.',
      );
    }
    const keys = { a: await keyOf(connector, named, 'a', request.a), b: await keyOf(connector, named, 'b', request.b) };
    await demandPresent(connector, named, keys);
    const from: Side = flow.direction === 'a-to-b' ? 'a' : 'b';
    const present = await connector.ports.links.findMany([{ flow: flowKey, side: from, key: keys[from] }]);
    const origin = [...present.values()][0]?.origin ?? { flow: flowKey, side: from, key: keys[from] };
    return holding(connector, origin, operator, async (leased) => {
      const former = leased.link.keys[otherSide(from)];
      if (former !== undefined && former !== keys[otherSide(from)]) {
        throw refused(
          `${leased.link.label ?? keys[from]} is linked to ${former}.`,
          `Unlink it first if that is wrong: unlink --flow ${flow.id} ${keys[from]}`,
        );
      }
      refuseUnderWay(connector, leased.link);
      const { trouble: _trouble, troubleSince: _since, troubleHeader: _header, ...link } = leased.link;
      const linked: Link = { ...link, keys, state: 'working', updatedAt: connector.ports.clock.now().toISOString() };
      const sentence = `${operator.name} linked ${link.label ?? keys[from]} to ${keys[otherSide(from)]}.`;
      await commit(connector, { ...leased, link: linked }, { operator, sentence, before: leased.link });
      await queueChanges(connector, [{ ref: origin, label: link.label }], operator);
      return { record: refText(origin), keys };
    });
  },
});

/** A number a person knows, as the vendor's key: from the memory, or from the vendor. */
async function keyOf(connector: Connector, { running, flow, key: flowKey }: NamedFlow, side: Side, text: string): Promise<string> {
  if (flow.kind === 'post') return text;
  const known = (await findRecords(connector, text, { integration: running.name, flow: flowKey })).flatMap(
    ({ link }) => link.keys[side] ?? [],
  );
  const [first, ...others] = [...new Set(known)];
  if (first !== undefined && others.length === 0) return first;
  if (others.length > 0)
    throw refused(`"${text}" names ${known.length} records: ${known.join(', ')}.`, 'Give the key of the one that is meant.');
  const { context } = await running.open();
  const [only, ...more] = (await flow.sides[side].source.named?.(context, text)) ?? [];
  return only !== undefined && more.length === 0 ? only : text;
}

/** A link to something that does not exist would be noticed only when the next change fails. */
async function demandPresent(connector: Connector, { running, flow }: NamedFlow, keys: Readonly<Record<Side, string>>): Promise<void> {
  if (flow.kind === 'post') return;
  const { context } = await running.open();
  for (const side of ['a', 'b'] as const) {
    const rows = await flow.sides[side].source.rows(context, [keys[side]]);
    if (rows.has(keys[side])) continue;
    throw refused(
      `${running.definition.sides[side].title} has no record ${keys[side]} for ${flow.id}.`,
      `Name the ${running.definition.sides.a.title} record first, then the one of ${running.definition.sides.b.title}: link ${flow.id} A B`,
    );
  }
  const taken = [
    ...(
      await connector.ports.links.findMany(
        (['a', 'b'] as const).map((side) => ({ flow: `${running.name}.${flow.id}`, side, key: keys[side] })),
      )
    ).values(),
  ];
  const other = taken.find((link) => (['a', 'b'] as const).some((side) => link.keys[side] !== undefined && link.keys[side] !== keys[side]));
  if (other) {
    throw refused(
      `${other.label ?? other.origin.key} is linked already: ${Object.values(other.keys).join(' and ')} belong together.`,
      `Unlink it first if that is wrong: unlink --flow ${flow.id} ${other.origin.key}`,
    );
  }
}

async function commit(
  connector: Connector,
  leased: Leased,
  told: { readonly operator: Operator; readonly sentence: string; readonly before: Link },
): Promise<void> {
  await connector.ports.links.commit(leased, [entryOf(connector, leased.link, told)]);
}

function entryOf(
  connector: Connector,
  link: Link,
  told: { readonly operator: Operator; readonly sentence: string; readonly before: Link },
): AuditEntry {
  return operatorEntry(connector, {
    integration: integrationOf(link.origin.flow),
    operator: told.operator,
    record: link.origin,
    label: link.label,
    sentence: told.sentence,
    before: shown(told.before),
    ...(link === told.before ? {} : { after: shown(link) }),
  });
}

const oneOf = z.strictObject({ integration: integrationName, flow: shortText.optional(), record: shortText });

/** Forgets a link; both records stay as they are, and the next change looks for a match again. */
export const unlinkRecords = defineOperation({
  name: 'unlink',
  summary: 'Forget that two records belong together; both stay as they are.',
  input: oneOf,
  changes: true,
  async run(connector, request, operator) {
    const { ref } = await oneRecord(connector, request.record, request);
    return holding(connector, ref, operator, async (leased) => {
      const { link } = leased;
      refuseUnderWay(connector, link);
      const other = link.keys[otherSide(ref.side)];
      const sentence = `${operator.name} removed the link of ${link.label ?? ref.key}${other === undefined ? '' : ` to ${other}`}.`;
      await connector.ports.links.remove(leased, [entryOf(connector, link, { operator, sentence, before: link })]);
      return { record: refText(ref), label: link.label ?? ref.key, keys: link.keys };
    });
  },
});

/** Words that flows and the engine understand as an answer to a hold. */
const decisions = ['create', 'recreate', 'ignore', 'next-generation', 'a-wins', 'b-wins'] as const;

/** Answers a hold that offers choices: create although candidates exist, recreate, ignore, next generation. */
export const decide = defineOperation({
  name: 'decide',
  summary: 'Answer a hold that offers choices, such as create, recreate or ignore.',
  input: oneOf.extend({ decision: z.enum(decisions) }),
  changes: true,
  async run(connector, request, operator) {
    const { ref } = await oneRecord(connector, request.record, request);
    return holding(connector, ref, operator, async (leased) => {
      const { link } = leased;
      const label = link.label ?? ref.key;
      // An answer nobody asked for would lie in wait for the next hold of the record, whatever that may be about.
      if (link.state !== 'held' || link.trouble === undefined)
        throw refused(
          `${label} is not held (it is ${link.state}), so there is nothing to decide.`,
          `See where it stands: explain ${request.record}`,
        );
      refuseUnderWay(connector, link);
      if (!isOffered(connector, link, request.decision))
        throw refused(
          `The hold of ${label} (${link.trouble.cause}) does not offer "${request.decision}".`,
          link.trouble.fix ?? 'Correct the cause, then replay it.',
        );
      const decided: Link = { ...link, decision: request.decision, updatedAt: connector.ports.clock.now().toISOString() };
      await commit(
        connector,
        { ...leased, link: decided },
        { operator, sentence: `${operator.name} decided for ${label}: ${request.decision}.`, before: link },
      );
      await queueChanges(connector, [{ ref, label: link.label }], operator);
      return { record: refText(ref), decision: request.decision };
    });
  },
});

/** A hold says in its own words which answers it takes. A document may always be ignored: somebody entered it by hand. */
function isOffered(connector: Connector, { trouble, origin }: Link, decision: string): boolean {
  const isDocument = flowsOf(connector, undefined, origin.flow).some(({ flow }) => flow.kind === 'post');
  if (decision === 'ignore' && isDocument) return true;
  const words = `${trouble?.sentence ?? ''} ${trouble?.fix ?? ''}`.toLowerCase();
  return new RegExp(`(^|[^a-z-])${decision}([^a-z-]|$)`).test(words);
}
