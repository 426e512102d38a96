import * as z from 'zod';
import type { AuditEntry } from '../contracts/audit.ts';
import { refText } from '../values/record-ref.ts';
import { defineOperation, integrationsOf } from './operation.ts';
import { findRecords } from './records.ts';

/** What was decided and written, by record, flow, outcome and time. */
export const audit = defineOperation({
  name: 'audit',
  summary: 'Audit entries by record, flow, outcome and time, newest last.',
  input: z.strictObject({
    integration: z.string().optional(),
    record: z.string().optional(),
    flow: z.string().optional(),
    outcome: z.string().optional(),
    from: z.iso.datetime({ error: 'an instant such as 2026-03-02T00:00:00Z' }).optional(),
    to: z.iso.datetime({ error: 'an instant such as 2026-03-03T00:00:00Z' }).optional(),
    limit: z.number().int().min(1).max(10_000).default(200),
  }),
  changes: false,
  async run(connector, request) {
    const entries: AuditEntry[] = [];
    const records =
      request.record === undefined
        ? [undefined]
        : (await findRecords(connector, request.record, request.integration)).map(({ ref }) => refText(ref));
    for (const running of integrationsOf(connector, request.integration)) {
      for (const record of records) {
        let after: string | undefined;
        do {
          const page = await connector.ports.audit.query({
            integration: running.name,
            ...(record === undefined ? {} : { record }),
            ...(request.from === undefined ? {} : { from: new Date(request.from) }),
            ...(request.to === undefined ? {} : { to: new Date(request.to) }),
            ...(after === undefined ? {} : { after }),
          });
          entries.push(...page.entries.filter((entry) => wanted(entry, request)));
          after = page.next;
        } while (after !== undefined && entries.length < 10 * request.limit);
      }
    }
    const unique = [...new Map(entries.map((entry) => [entry.id, entry])).values()].sort((left, right) => (left.id < right.id ? -1 : 1));
    return { entries: unique.slice(-request.limit), more: unique.length > request.limit };
  },
});

function wanted(entry: AuditEntry, request: { readonly flow?: string | undefined; readonly outcome?: string | undefined }): boolean {
  const flow = entry.record.split('|')[0] ?? '';
  const rightFlow = request.flow === undefined || flow === request.flow || flow.endsWith(`.${request.flow}`);
  return rightFlow && (request.outcome === undefined || entry.outcome === request.outcome);
}
