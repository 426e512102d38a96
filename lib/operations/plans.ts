import * as z from 'zod';
import type { Connector } from '../connector.ts';
import { planKey } from '../engine/state-keys.ts';
import { defineOperation, everyPage, flowsOf, integrationName, type NamedFlow, shortText } from './operation.ts';
import { type Totals, totalsOf } from './totals.ts';

/** As the engine stored it. */
const planSchema = z.looseObject({
  record: z.string(),
  label: z.string(),
  at: z.string(),
  would: z.string(),
  sentence: z.string(),
  money: z.object({ amount: z.string(), currency: z.string() }).optional(),
  draft: z.json().optional(),
  failure: z.looseObject({ cause: z.string(), sentence: z.string(), fix: z.string().optional() }).optional(),
});
export type StoredPlan = z.infer<typeof planSchema>;

export interface FlowPlans {
  readonly integration: string;
  readonly flow: string;
  readonly mode: string;
  readonly count: number;
  readonly oldest?: string;
  readonly newest?: string;
  /** By what would be done. */
  readonly would: readonly (Totals & { readonly would: string })[];
  /** What stands in the way, by cause. */
  readonly troubles: readonly (Totals & { readonly cause: string; readonly sentence: string; readonly fix?: string })[];
}

/** What a flow in preview would do: the count, the money and the troubles per flow, and the plans themselves a page at a time. */
export const plans = defineOperation({
  name: 'plans',
  summary: 'What flows in preview would do, with money, and what would be held.',
  input: z.strictObject({
    integration: integrationName,
    flow: shortText.optional(),
    would: shortText.optional(),
    limit: z.number().int().min(0).max(500, 'must be at most 500').default(50),
    after: shortText.optional(),
  }),
  changes: false,
  async run(connector, request) {
    const flows: FlowPlans[] = [];
    const listed: StoredPlan[] = [];
    for (const named of flowsOf(connector, request.integration, request.flow)) {
      const { running, flow } = named;
      const all = await plansOf(connector, named);
      const { mode } = (await running.open()).flow(flow.id);
      if (all.length === 0 && mode !== 'preview') continue;
      flows.push({ integration: running.name, flow: flow.id, mode, count: all.length, ...summaryOf(all) });
      listed.push(...all.filter((plan) => request.would === undefined || plan.would === request.would));
    }
    const rest = listed
      .filter((plan) => request.after === undefined || plan.record > request.after)
      .sort((left, right) => (left.record < right.record ? -1 : 1));
    const page = rest.slice(0, request.limit);
    const last = page.at(-1);
    return { flows, plans: page, ...(rest.length > page.length && last ? { next: last.record } : {}) };
  },
});

/** Every plan of a flow that has not expired. */
export async function plansOf(connector: Connector, { key }: Pick<NamedFlow, 'key'>): Promise<StoredPlan[]> {
  const { partition } = planKey(key, '');
  return everyPage(async (after) => {
    const page = await connector.ports.state.list(partition, after);
    return { items: page.items.map((item) => planSchema.parse(item.value)), next: page.next };
  });
}

function summaryOf(all: readonly StoredPlan[]): Pick<FlowPlans, 'oldest' | 'newest' | 'would' | 'troubles'> {
  const instants = all.map((plan) => plan.at).sort();
  const [oldest] = instants;
  const newest = instants.at(-1);
  return {
    ...(oldest === undefined ? {} : { oldest }),
    ...(newest === undefined ? {} : { newest }),
    would: [...grouped(all, (plan) => plan.would)].map(([would, group]) => ({ would, ...totalsOf(group) })),
    troubles: [...grouped(all, (plan) => plan.failure?.cause)].flatMap(([cause, group]) => {
      const failure = group[0]?.failure;
      return failure === undefined
        ? []
        : [{ cause, sentence: failure.sentence, ...(failure.fix === undefined ? {} : { fix: failure.fix }), ...totalsOf(group) }];
    }),
  };
}

function grouped(all: readonly StoredPlan[], nameOf: (plan: StoredPlan) => string | undefined): ReadonlyMap<string, readonly StoredPlan[]> {
  const groups = new Map<string, StoredPlan[]>();
  for (const plan of all) {
    const name = nameOf(plan);
    if (name !== undefined) groups.set(name, [...(groups.get(name) ?? []), plan]);
  }
  return groups;
}
