import * as z from 'zod';
import type { Connector } from '../connector.ts';
import type { AuditEntry } from '../contracts/audit.ts';
import type { Link } from '../contracts/link.ts';
import { readableMoney } from '../values/money.ts';
import { integrationOf, parseRef, type RecordRef, refText } from '../values/record-ref.ts';
import { defineOperation, everyPage, flowsOf, integrationName, refused, shortText } from './operation.ts';
import { plansOf, type StoredPlan } from './plans.ts';
import { type FoundRecord, findRecords, fullReference, type RecordAsk } from './records.ts';

export interface Story {
  readonly record: string;
  readonly flow: string;
  readonly label: string;
  /** State of the link; `planned` in preview, `unlinked` when only the audit remembers it. */
  readonly state: string;
  readonly money?: string;
  /** By vendor. */
  readonly keys: Readonly<Record<string, string>>;
  readonly targets: readonly {
    readonly generation: number;
    readonly kind: string;
    readonly stage: string;
    readonly target?: string;
    readonly marker: string;
  }[];
  readonly trouble?: {
    readonly cause: string;
    readonly sentence: string;
    readonly fix?: string;
    readonly since?: string;
    readonly details?: Readonly<Record<string, string>>;
  };
  readonly note?: string;
  /** A person's answer that was not yet carried out. */
  readonly decision?: string;
  /** What the flow would do, when it is in preview. */
  readonly plan?: StoredPlan;
  /** What happens next, and who has to act for it. */
  readonly next: string;
  readonly timeline: readonly AuditEntry[];
}

/** The whole story of a record: what it is here and there, how far it came, every attempt, what happens next. */
export const explain = defineOperation({
  name: 'explain',
  summary: 'The whole story of one record: where it stands and everything that was decided about it.',
  input: z.strictObject({ record: shortText, integration: integrationName, flow: shortText.optional() }),
  changes: false,
  async run(connector, request) {
    const found = await findRecords(connector, request.record, request);
    const planned = await findPlans(connector, request.record, request);
    const stories = await Promise.all(found.map((record) => storyOf(connector, record, planned.get(refText(record.ref)))));
    const known = new Set(stories.map((story) => story.record));
    for (const [record, plan] of planned) if (!known.has(record)) stories.push(await bareStory(connector, parseRef(record), plan));
    const full = fullReference(connector, request.record);
    if (stories.length === 0 && full) {
      const story = await bareStory(connector, full, undefined);
      if (story.timeline.length > 0) stories.push(story);
    }
    if (stories.length > 0) return { stories };
    throw refused(
      `No record "${request.record}" is known here: no webhook or poll has brought it yet, or its flow is off.`,
      'Check the number, then: poll, status. A record that was missed is fetched with: replay FLOW NUMBER. One older than the cut-over date (startFrom) is never taken.',
    );
  },
});

/** Plans by record: a record in preview has no link of its own. */
async function findPlans(connector: Connector, text: string, ask: RecordAsk): Promise<ReadonlyMap<string, StoredPlan>> {
  const wanted = text.trim().toLowerCase();
  const found = new Map<string, StoredPlan>();
  for (const { key } of flowsOf(connector, ask.integration, ask.flow)) {
    for (const plan of await plansOf(connector, { key })) {
      const label = plan.label.toLowerCase();
      const names = [plan.record.toLowerCase(), parseRef(plan.record).key.toLowerCase(), label];
      if (names.includes(wanted) || label.startsWith(`${wanted} `)) found.set(plan.record, plan);
    }
  }
  return found;
}

async function storyOf(connector: Connector, { ref, link }: FoundRecord, plan: StoredPlan | undefined): Promise<Story> {
  const { trouble } = link;
  return {
    record: refText(ref),
    flow: ref.flow,
    label: link.label ?? ref.key,
    state: link.state,
    ...(link.money ? { money: readableMoney(link.money) } : {}),
    keys: keysByVendor(connector, ref.flow, link.keys),
    targets: (link.postings ?? []).map(({ generation, kind, stage, target, marker }) => ({
      generation,
      kind,
      stage,
      marker,
      ...(target === undefined ? {} : { target }),
    })),
    ...(trouble
      ? {
          trouble: {
            cause: trouble.cause,
            sentence: trouble.sentence,
            ...(trouble.fix === undefined ? {} : { fix: trouble.fix }),
            ...(link.troubleSince === undefined ? {} : { since: link.troubleSince }),
            ...(trouble.details === undefined ? {} : { details: trouble.details }),
          },
        }
      : {}),
    ...(link.note === undefined ? {} : { note: link.note }),
    ...(link.decision === undefined ? {} : { decision: link.decision }),
    ...(plan === undefined ? {} : { plan }),
    next: nextOf(link),
    timeline: await timeline(connector, ref),
  };
}

/** A record without a link: in preview, or known to the audit only. */
async function bareStory(connector: Connector, ref: RecordRef, plan: StoredPlan | undefined): Promise<Story> {
  const entries = await timeline(connector, ref);
  return {
    record: refText(ref),
    flow: ref.flow,
    label: plan?.label ?? entries.at(-1)?.label ?? ref.key,
    state: plan === undefined ? 'unlinked' : 'planned',
    ...(plan?.money === undefined ? {} : { money: readableMoney(plan.money) }),
    keys: keysByVendor(connector, ref.flow, { [ref.side]: ref.key }),
    targets: [],
    ...(plan === undefined ? {} : { plan }),
    next:
      plan === undefined
        ? 'Nothing is remembered of it but this timeline; its next change, or a replay, looks at it anew.'
        : 'Nothing is written while the flow is in preview. It is booked when the flow goes live.',
    timeline: entries,
  };
}

function keysByVendor(connector: Connector, flow: string, keys: Link['keys']): Record<string, string> {
  const definition = connector.integrations.find((running) => running.name === integrationOf(flow))?.definition;
  return Object.fromEntries(
    (['a', 'b'] as const).flatMap((side) => {
      const key = keys[side];
      return key === undefined ? [] : [[definition?.sides[side].key ?? side, key] as const];
    }),
  );
}

function nextOf({ state, trouble, note, intent }: Link): string {
  switch (state) {
    case 'held':
      return trouble?.fix ?? 'A person decides; then replay it.';
    case 'waiting':
      if (trouble?.dependency !== undefined) return `It comes back by itself as soon as ${trouble.dependency} is there.`;
      return `${trouble?.fix ?? 'It waits for a state in one of the systems.'} It is looked at again by itself${trouble?.at === undefined ? '' : `, not before ${trouble.at}`}.`;
    case 'working':
      return intent === undefined
        ? 'It is about to be looked at.'
        : `A write left at ${intent.sentAt} and its outcome is being found out; nothing is written twice.`;
    case 'filtered':
      return `A rule leaves it out (${note ?? 'no rule noted'}). After a change of the settings: replay.`;
    case 'gone':
      return 'It no longer exists at its source; nothing more happens.';
    default:
      return 'Nothing to do: the next change of it is taken over.';
  }
}

async function timeline(connector: Connector, ref: RecordRef): Promise<AuditEntry[]> {
  return everyPage(async (after) => {
    const page = await connector.ports.audit.query({ integration: integrationOf(ref.flow), record: refText(ref), ...after });
    return { items: page.entries, next: page.next };
  });
}
