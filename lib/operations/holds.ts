import * as z from 'zod';
import type { Link } from '../contracts/link.ts';
import { addMoney, type Money, readableMoney } from '../values/money.ts';
import { refText } from '../values/record-ref.ts';
import { defineOperation, integrationsOf } from './operation.ts';
import { heldLinks } from './replay.ts';

export interface HoldGroup {
  readonly integration: string;
  readonly cause: string;
  readonly count: number;
  /** Totals per currency of the held documents. */
  readonly money: readonly string[];
  readonly sentence: string;
  readonly fix?: string;
  readonly since?: string;
  readonly records: readonly {
    readonly record: string;
    readonly label: string;
    readonly flow: string;
    readonly details?: Readonly<Record<string, string>>;
  }[];
}

/** What needs a person, grouped by root cause: one fix releases the whole group. */
export const holds = defineOperation({
  name: 'holds',
  summary: 'What is held, grouped by cause, with money and the fix.',
  input: z.strictObject({ integration: z.string().optional(), cause: z.string().optional() }),
  changes: false,
  async run(connector, request) {
    const groups: HoldGroup[] = [];
    for (const running of integrationsOf(connector, request.integration)) {
      const links: Link[] = [];
      for await (const link of heldLinks(connector, running.name, request.cause)) links.push(link);
      groups.push(...groupHolds(running.name, links));
    }
    return { groups: groups.sort((left, right) => right.count - left.count) };
  },
});

function groupHolds(integration: string, links: readonly Link[]): HoldGroup[] {
  const byCause = new Map<string, Link[]>();
  for (const link of links) {
    const cause = link.trouble?.cause ?? 'unknown';
    byCause.set(cause, [...(byCause.get(cause) ?? []), link]);
  }
  return [...byCause].map(([cause, group]) => {
    const [first] = group;
    const since = group.map((link) => link.troubleSince ?? link.updatedAt).sort()[0];
    return {
      integration,
      cause,
      count: group.length,
      money: totals(group),
      sentence: first?.trouble?.sentence ?? '',
      ...(first?.trouble?.fix === undefined ? {} : { fix: first.trouble.fix }),
      ...(since === undefined ? {} : { since }),
      records: group.map((link) => ({
        record: refText(link.origin),
        label: link.label ?? link.origin.key,
        flow: link.origin.flow,
        ...(link.trouble?.details === undefined ? {} : { details: link.trouble.details }),
      })),
    };
  });
}

function totals(links: readonly Link[]): string[] {
  const byCurrency = new Map<string, Money>();
  for (const { money } of links) {
    if (money)
      byCurrency.set(money.currency, byCurrency.has(money.currency) ? addMoney(byCurrency.get(money.currency) ?? money, money) : money);
  }
  return [...byCurrency.values()].map(readableMoney);
}
