import * as z from 'zod';
import type { Connector } from '../connector.ts';
import { reportKey } from '../engine/state-keys.ts';
import { isDecimal } from '../values/decimal.ts';
import { readableMoney } from '../values/money.ts';
import { defineOperation, everyPage, integrationName, integrationsOf, refused, shortText } from './operation.ts';
import { recordOperation } from './operator-audit.ts';

const money = z.object({ amount: z.string(), currency: z.string() });
const result = z.enum(['tied', 'explained', 'open']);

/** A result as the engine keeps it. */
const storedSchema = z.looseObject({
  at: z.string(),
  key: z.string(),
  title: z.string(),
  period: z.string().optional(),
  result,
  lines: z.array(
    z.looseObject({
      section: z.string(),
      label: z.string(),
      a: z.union([money, z.number()]),
      b: z.union([money, z.number()]),
      difference: z.string(),
      causes: z.array(z.looseObject({ cause: z.string(), amount: z.string(), records: z.array(z.string()) })),
      result,
    }),
  ),
  notes: z.array(z.string()),
});
type Stored = z.infer<typeof storedSchema>;

interface Found {
  readonly integration: string;
  readonly report: Connector['integrations'][number]['definition']['reports'][number];
}

function reportsNamed(connector: Connector, integration: string | undefined, id: string | undefined): readonly Found[] {
  const all = integrationsOf(connector, integration).flatMap(({ name, definition }) =>
    definition.reports.map((report): Found => ({ integration: name, report })),
  );
  if (id === undefined) return all;
  const found = all.filter(({ report }) => report.id === id);
  if (found.length > 0) return found;
  throw refused(
    `There is no report "${id}".`,
    `Use one of: ${[...new Set(all.map(({ report }) => report.id))].join(', ') || 'no integration here has one'}.`,
  );
}

async function resultsOf(connector: Connector, { integration, report }: Found): Promise<Stored[]> {
  const { partition, name } = reportKey(integration, report.id, '');
  const stored = await everyPage(async (after) => {
    const page = await connector.ports.state.list(partition, { prefix: name, ...after });
    return { items: page.items.map((item) => storedSchema.parse(item.value)), next: page.next };
  });
  return stored.sort((left, right) => (left.at < right.at ? -1 : 1));
}

/** Every report there is, with what its last runs said. */
export const reports = defineOperation({
  name: 'reports',
  summary: 'Reports, when they run, and what their last runs said.',
  input: z.strictObject({ integration: integrationName }),
  changes: false,
  async run(connector, request) {
    const listed = [];
    for (const found of reportsNamed(connector, request.integration, undefined)) {
      const open = await connector.integrations.find(({ name }) => name === found.integration)?.open();
      const setting = open?.flow(found.report.id);
      const results = await resultsOf(connector, found);
      listed.push({
        integration: found.integration,
        report: found.report.id,
        summary: found.report.summary,
        schedule: String(setting?.poll ?? found.report.schedule),
        mode: setting?.mode ?? 'live',
        results: results.slice(-12).map(({ at, key, title, result: said, lines }) => ({
          at,
          key,
          title,
          result: said,
          open: lines.filter((line) => line.result === 'open').length,
        })),
      });
    }
    return { reports: listed };
  },
});

const askedPeriod = z.string().regex(/^\d{6}$|^\d{4}-\d{2}(-\d{2})?$/, 'must be a period: 202603, 2026-03 or 2026-03-31');

/** One report in full: its latest result, the one of a period, or a new run. */
export const report = defineOperation({
  name: 'report',
  summary: 'One report in full: its latest result, that of a period, or a new run.',
  input: z.strictObject({
    integration: integrationName,
    report: shortText,
    period: askedPeriod.optional(),
    run: z.boolean().default(false),
  }),
  changes: true,
  async run(connector, request, operator) {
    const [found, ...others] = reportsNamed(connector, request.integration, request.report);
    if (!found || others.length > 0)
      throw refused(`Several integrations have the report "${request.report}".`, 'Add one: --integration NAME');
    const { period } = request;
    if (request.run) {
      const sentence = `${operator.name} ran the report ${request.report}${period === undefined ? '' : ` of ${period}`}.`;
      await recordOperation(connector, { integration: found.integration, flow: request.report, operator, sentence });
      const fresh = await connector.engine.report(found.integration, {
        report: request.report,
        ...(period === undefined ? {} : { period }),
      });
      return shown(found.integration, request.report, storedSchema.parse({ at: connector.ports.clock.now().toISOString(), ...fresh }));
    }
    const stored = await resultsOf(connector, found);
    const chosen = period === undefined ? stored.at(-1) : stored.filter((one) => samePeriod(one, period)).at(-1);
    if (chosen) return shown(found.integration, request.report, chosen);
    const has = stored.map((one) => one.key).join(', ');
    throw refused(
      `${request.report} has no result${period === undefined ? ' yet' : ` of ${period}; there are: ${has || 'none'}`}.`,
      `Run it: report ${request.report}${period === undefined ? '' : ` --period ${period}`} --run`,
    );
  },
});

/** The result with every amount also as people write it. */
function shown(integration: string, name: string, stored: Stored) {
  const lines = stored.lines.map((line) => {
    const currency = typeof line.a === 'number' ? undefined : line.a.currency;
    const text = (amount: string): string => (currency === undefined || !isDecimal(amount) ? amount : readableMoney({ amount, currency }));
    return {
      ...line,
      shown: {
        a: typeof line.a === 'number' ? String(line.a) : readableMoney(line.a),
        b: typeof line.b === 'number' ? String(line.b) : readableMoney(line.b),
        difference: text(line.difference),
        causes: line.causes.map((cause) => text(cause.amount)),
      },
    };
  });
  return { integration, report: name, ...stored, lines };
}

/** `202603` and `2026-03` are one period. */
function samePeriod({ key, period }: Stored, asked: string): boolean {
  const digits = (text: string | undefined): string => (text ?? '').replaceAll('-', '');
  return [digits(key), digits(period)].includes(digits(asked));
}
