import * as z from 'zod';
import type { Link } from '../contracts/link.ts';
import { readableMoney } from '../values/money.ts';
import { refText } from '../values/record-ref.ts';
import { defineOperation, everyPage, flowsOf, integrationName, integrationsOf, isFlow, shortText } from './operation.ts';
import { heldLinks } from './replay.ts';
import { type Totals, totalsOf } from './totals.ts';

export interface HoldGroup {
  readonly integration: string;
  readonly cause: string;
  readonly count: number;
  /** Totals per currency of the held documents. Kinds of documents are never added up with each other: see `flows`. */
  readonly money: readonly string[];
  readonly flows: readonly (Totals & { readonly flow: string })[];
  /** Of the record that is held longest; others may name another document. */
  readonly sentence: string;
  readonly fix?: string;
  readonly since?: string;
  /** The longest held, not necessarily all. */
  readonly records: readonly {
    readonly record: string;
    readonly label: string;
    readonly flow: string;
    readonly since: string;
    readonly money?: string;
    readonly details?: Readonly<Record<string, string>>;
  }[];
}

const ask = z.strictObject({ integration: integrationName, flow: shortText.optional(), cause: shortText.optional() });
/** An answer has to pass through one function call: of a large group the oldest are listed and all are counted. */
const mostRecords = 500;

/** What needs a person, grouped by root cause: one fix releases the whole group. */
export const holds = defineOperation({
  name: 'holds',
  summary: 'What is held, grouped by cause, with money and the fix.',
  input: ask,
  changes: false,
  async run(connector, request) {
    flowsOf(connector, request.integration, request.flow);
    const groups: HoldGroup[] = [];
    for (const running of integrationsOf(connector, request.integration)) {
      const links: Link[] = [];
      for await (const link of heldLinks(connector, running.name, request.cause))
        if (isFlow(link.origin.flow, request.flow)) links.push(link);
      groups.push(...groupByCause(running.name, links));
    }
    return { groups: largestFirst(groups) };
  },
});

/** What waits for another record or for a state somewhere else: it comes back by itself. */
export const waiting = defineOperation({
  name: 'waiting',
  summary: 'What waits for another record or for somebody in one of the systems, grouped by cause.',
  input: ask.omit({ cause: true }),
  changes: false,
  async run(connector, request) {
    flowsOf(connector, request.integration, request.flow);
    const groups: HoldGroup[] = [];
    for (const running of integrationsOf(connector, request.integration)) {
      const links = await everyPage(async (after) => {
        const page = await connector.ports.links.listWaiting(running.name, after);
        return { items: page.links, next: page.next };
      });
      groups.push(
        ...groupByCause(
          running.name,
          links.filter((link) => isFlow(link.origin.flow, request.flow)),
        ),
      );
    }
    return { groups: largestFirst(groups) };
  },
});

const largestFirst = (groups: HoldGroup[]): HoldGroup[] =>
  groups.sort((left, right) => right.count - left.count || (left.cause < right.cause ? -1 : 1));

const sinceOf = (link: Link): string => link.troubleSince ?? link.updatedAt;

function groupByCause(integration: string, links: readonly Link[]): HoldGroup[] {
  const byCause = new Map<string, Link[]>();
  for (const link of links) {
    const cause = link.trouble?.cause ?? 'unknown';
    byCause.set(cause, [...(byCause.get(cause) ?? []), link]);
  }
  return [...byCause].map(([cause, group]) => {
    group.sort((left, right) => (sinceOf(left) < sinceOf(right) ? -1 : 1));
    const [first] = group;
    const flows = flowTotals(group);
    return {
      integration,
      cause,
      count: group.length,
      money: flows.length === 1 ? (flows[0]?.money ?? []) : flows.flatMap(({ flow, money }) => money.map((sum) => `${flow} ${sum}`)),
      flows,
      sentence: first?.trouble?.sentence ?? '',
      ...(first?.trouble?.fix === undefined ? {} : { fix: first.trouble.fix }),
      ...(first === undefined ? {} : { since: sinceOf(first) }),
      records: group.slice(0, mostRecords).map((link) => ({
        record: refText(link.origin),
        label: link.label ?? link.origin.key,
        flow: link.origin.flow,
        since: sinceOf(link),
        ...(link.money === undefined ? {} : { money: readableMoney(link.money) }),
        ...(link.trouble?.details === undefined ? {} : { details: link.trouble.details }),
      })),
    };
  });
}

/** An invoice, a credit and a payment are not one sum. */
function flowTotals(links: readonly Link[]): readonly (Totals & { readonly flow: string })[] {
  const byFlow = new Map<string, Link[]>();
  for (const link of links) {
    const flow = link.origin.flow.slice(link.origin.flow.indexOf('.') + 1);
    byFlow.set(flow, [...(byFlow.get(flow) ?? []), link]);
  }
  return [...byFlow].map(([flow, group]) => ({ flow, ...totalsOf(group) })).sort((left, right) => (left.flow < right.flow ? -1 : 1));
}
