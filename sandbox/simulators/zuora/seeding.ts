import * as z from 'zod';
import { ControlError } from '../kit.ts';
import { createAccount, saveAccountingCode } from './accounts.ts';
import { createInvoice } from './invoices.ts';
import { createJournalRun } from './journals.ts';
import { createCreditMemo, createDebitMemo } from './memos.ts';
import { createPayment, createRefund } from './payments.ts';
import { seed as seedShape } from './shapes.ts';
import type { Tenant } from './tenant.ts';

/** Reads anything a person wrote; the refusal names field and reason. */
export function read<T>(schema: z.ZodType<T>, input: unknown, what: string): T {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new ControlError(`${what}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** Loads records in the order in which they refer to each other. Nobody is called out. */
export function seedTenant(tenant: Tenant, records: unknown): void {
  const given = read(seedShape, records, 'seed');
  tenant.quiet = true;
  try {
    for (const profile of given.communicationProfiles ?? []) {
      if (tenant.profiles.by('name', profile.name).length === 0) tenant.addProfile(profile.name, profile.number, profile.id);
    }
    for (const code of given.accountingCodes ?? []) saveAccountingCode(tenant, code);
    for (const account of given.accounts ?? []) createAccount(tenant, account);
    for (const invoice of given.invoices ?? []) createInvoice(tenant, invoice);
    for (const memo of given.creditMemos ?? []) if (memo.applications.length === 0) createCreditMemo(tenant, memo);
    for (const memo of given.debitMemos ?? []) createDebitMemo(tenant, memo);
    for (const memo of given.creditMemos ?? []) if (memo.applications.length > 0) createCreditMemo(tenant, memo);
    for (const payment of given.payments ?? []) createPayment(tenant, payment);
    for (const refund of given.refunds ?? []) createRefund(tenant, refund);
    for (const run of given.journalRuns ?? []) createJournalRun(tenant, run, false);
  } finally {
    tenant.quiet = false;
  }
}
