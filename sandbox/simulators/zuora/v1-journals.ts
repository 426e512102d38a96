import type { Hono } from 'hono';
import * as z from 'zod';
import { jsonNumber } from '../../../lib/values/json.ts';
import { Refused } from './failures.ts';
import { json } from './gateway.ts';
import { createJournalRun } from './journals.ts';
import { pageOf, withNext } from './paging.ts';
import type { JournalEntry, JournalRun } from './rows.ts';
import { date } from './shapes.ts';
import type { Tenant } from './tenant.ts';
import { plainTime } from './tenant-time.ts';
import { needRow, readJson } from './v1-documents.ts';

const runBody = z.strictObject({
  accountingPeriodName: z.string().optional(),
  targetStartDate: date.optional(),
  targetEndDate: date.optional(),
  journalEntryDate: date,
  transactionTypes: z.array(z.strictObject({ type: z.string() })).min(1),
});

const entryBody = z.strictObject({
  transferredToAccounting: z.enum(['No', 'Processing', 'Yes', 'Error', 'Ignore']).optional(),
  notes: z.string().optional(),
});

function requireFinance(tenant: Tenant): void {
  if (!tenant.features.finance) throw new Refused('30', 'Zuora Finance is not enabled for your tenant.', { object: '538000' });
}

export function journalRoutes(app: Hono, tenant: Tenant): void {
  app.post('/v1/journal-runs', async (context) => {
    requireFinance(tenant);
    const body = runBody.safeParse(readJson(await context.req.text()));
    if (!body.success) throw new Refused('20', z.prettifyError(body.error), { object: '538000' });
    const { transactionTypes, ...rest } = body.data;
    const run = createJournalRun(
      tenant,
      { ...rest, transactionTypes: transactionTypes.map(({ type }) => type), aggregateCurrency: false },
      true,
    );
    return json({ success: true, journalRunNumber: run.number });
  });
  app.get('/v1/journal-runs/:key', (context) => {
    requireFinance(tenant);
    return json({ ...shownRun(tenant, needRow(tenant, tenant.journalRuns, context.req.param('key'))), success: true });
  });
  app.get('/v1/journal-entries/journal-runs/:key', (context) => {
    requireFinance(tenant);
    const run = needRow(tenant, tenant.journalRuns, context.req.param('key'));
    const page = pageOf(tenant.journalEntries.by('journalRunId', run.id), context.req.url, { usual: 8, most: 300 });
    return json({ journalEntries: page.rows.map((entry) => shownEntry(tenant, entry)), ...withNext(page), success: true });
  });
  app.get('/v1/journal-entries/:key', (context) => {
    requireFinance(tenant);
    return json({ ...shownEntry(tenant, needRow(tenant, tenant.journalEntries, context.req.param('key'))), success: true });
  });
  app.put('/v1/journal-entries/:key/basic-information', async (context) => {
    requireFinance(tenant);
    const entry = needRow(tenant, tenant.journalEntries, context.req.param('key'));
    const body = entryBody.safeParse(readJson(await context.req.text()));
    if (!body.success) throw new Refused('20', z.prettifyError(body.error), { object: '539000' });
    const { transferredToAccounting, notes } = body.data;
    tenant.change(tenant.journalEntries, entry, {
      transferredToAccounting: transferredToAccounting ?? entry.transferredToAccounting,
      notes: notes ?? entry.notes,
    });
    return json({ success: true });
  });
}

function shownRun(tenant: Tenant, run: JournalRun) {
  return {
    number: run.number,
    status: run.status,
    executedOn: run.executedAt === null ? null : plainTime(run.executedAt, tenant.settings.zone),
    segmentationRuleName: null,
    totalJournalEntryCount: tenant.journalEntries.by('journalRunId', run.id).length,
    aggregateCurrency: run.aggregateCurrency,
    targetStartDate: run.targetStartDate,
    targetEndDate: run.targetEndDate,
    journalEntryDate: run.journalEntryDate,
    transactionTypes: run.transactionTypes.map((type) => ({ type })),
  };
}

function shownEntry(tenant: Tenant, entry: JournalEntry) {
  return {
    number: entry.number,
    status: entry.status,
    journalEntryDate: entry.journalEntryDate,
    currency: entry.currency,
    homeCurrency: entry.homeCurrency,
    aggregateCurrency: entry.aggregateCurrency,
    transactionType: entry.transactionType,
    accountingPeriodName: entry.accountingPeriodName,
    timePeriodStart: entry.timePeriodStart,
    timePeriodEnd: entry.timePeriodEnd,
    transferredToAccounting: entry.transferredToAccounting,
    notes: entry.notes,
    segments: entry.segments,
    journalEntryItems: entry.lines.map((line) => {
      const code = tenant.accountingCodes.by('name', line.accountingCode)[0];
      return {
        accountingCodeName: line.accountingCode,
        accountingCodeType: code?.type ?? null,
        glAccountName: code?.glAccountName ?? null,
        glAccountNumber: code?.glAccountNumber ?? null,
        type: line.type,
        amount: jsonNumber(line.amount),
        homeCurrencyAmount: jsonNumber(line.homeCurrencyAmount),
      };
    }),
  };
}
