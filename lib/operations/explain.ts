import * as z from 'zod';
import type { Connector } from '../connector.ts';
import type { AuditEntry } from '../contracts/audit.ts';
import { readableMoney } from '../values/money.ts';
import { integrationOf, refText } from '../values/record-ref.ts';
import { defineOperation, refused } from './operation.ts';
import { type FoundRecord, findRecords } from './records.ts';

export interface Story {
  readonly record: string;
  readonly flow: string;
  readonly label: string;
  readonly state: string;
  readonly money?: string;
  readonly keys: Readonly<Record<string, string>>;
  readonly targets: readonly {
    readonly generation: number;
    readonly kind: string;
    readonly stage: string;
    readonly target?: string;
    readonly marker: string;
  }[];
  readonly trouble?: { readonly cause: string; readonly sentence: string; readonly fix?: string; readonly since?: string };
  readonly note?: string;
  readonly timeline: readonly AuditEntry[];
}

/** The whole story of a record: what it is here and there, how far it came, every attempt, what happens next. */
export const explain = defineOperation({
  name: 'explain',
  summary: 'The whole story of one record: where it stands and everything that was decided about it.',
  input: z.strictObject({ record: z.string().min(1), integration: z.string().optional() }),
  changes: false,
  async run(connector, request) {
    const found = await findRecords(connector, request.record, request.integration);
    if (found.length === 0) {
      throw refused(
        `No record "${request.record}" is known here: no webhook or poll has brought it yet, or its flow is off.`,
        'Check the number, then: poll, status. A record older than the cut-over date (startFrom) is never taken.',
      );
    }
    return { stories: await Promise.all(found.map((record) => storyOf(connector, record))) };
  },
});

async function storyOf(connector: Connector, { ref, link }: FoundRecord): Promise<Story> {
  const integration = integrationOf(ref.flow);
  const definition = connector.integrations.find((running) => running.name === integration)?.definition;
  const named = Object.entries(link.keys).map(([side, key]) => [definition?.sides[side === 'a' ? 'a' : 'b'].key ?? side, key] as const);
  return {
    record: refText(ref),
    flow: ref.flow,
    label: link.label ?? ref.key,
    state: link.state,
    ...(link.money ? { money: readableMoney(link.money) } : {}),
    keys: Object.fromEntries(named),
    targets: (link.postings ?? []).map(({ generation, kind, stage, target, marker }) => ({
      generation,
      kind,
      stage,
      marker,
      ...(target === undefined ? {} : { target }),
    })),
    ...(link.trouble
      ? {
          trouble: {
            cause: link.trouble.cause,
            sentence: link.trouble.sentence,
            ...(link.trouble.fix === undefined ? {} : { fix: link.trouble.fix }),
            ...(link.troubleSince === undefined ? {} : { since: link.troubleSince }),
          },
        }
      : {}),
    ...(link.note === undefined ? {} : { note: link.note }),
    timeline: await timeline(connector, integration, refText(ref)),
  };
}

async function timeline(connector: Connector, integration: string, record: string): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  let after: string | undefined;
  do {
    const page = await connector.ports.audit.query({ integration, record, ...(after === undefined ? {} : { after }) });
    entries.push(...page.entries);
    after = page.next;
  } while (after !== undefined);
  return entries;
}
