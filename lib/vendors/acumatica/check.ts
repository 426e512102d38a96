import type { Io } from '../../contracts/io.ts';
import type { CheckResult } from '../../contracts/vendor.ts';
import { asFailure, type Failure } from '../../failures.ts';
import { warnDays } from './auth.ts';
import { forms } from './entities.ts';
import type { Session } from './session.ts';
import type { AcumaticaClient } from './surface.ts';
import type { Entity } from './wire.ts';

const dayMs = 86_400_000;

/** Forms we read; without the journal one only journals cannot be posted. */
const read: readonly Entity[] = [
  'Customer',
  'Invoice',
  'Payment',
  'JournalTransaction',
  'Account',
  'Currency',
  'PaymentMethod',
  'CustomerClass',
  'TaxCategory',
  'FinancialPeriod',
];

/** A1 to A6: each step needs the one before, so the first red one of A1 to A3 ends the list. */
export async function checkConnection(client: Omit<AcumaticaClient, 'check'>, session: Session, io: Io): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for (const step of [checkAddress, checkGrant, checkEndpoint]) {
    const result = await guarded(step.id, () => step.run(client, session, io));
    results.push(result);
    if (result.level === 'red') return sorted(results);
  }
  results.push(await guarded('A4', () => checkRights(client)));
  results.push(await guarded('A5', () => checkBranch(client, session)));
  results.push(await guarded('A6', () => checkCurrency(client)));
  return sorted(results);
}

interface Step {
  readonly id: string;
  run(client: Omit<AcumaticaClient, 'check'>, session: Session, io: Io): Promise<Omit<CheckResult, 'id'>>;
}

const checkAddress: Step = {
  id: 'A1',
  async run(_client, session) {
    const served = await session.inLane(() => session.discovery.anonymously());
    return green(`Acumatica ${served.build ?? ''} answers at ${session.settings.url}.`.replace('  ', ' '));
  },
};

const checkEndpoint: Step = {
  id: 'A2',
  async run(client, session) {
    await session.discovery.forget();
    const wrong = session.discovery.notServed(await client.discover());
    return wrong ? red(wrong) : green(`Endpoint ${session.settings.endpoint}/${session.settings.version} is served.`);
  },
};

const checkGrant: Step = {
  id: 'A3',
  async run(client, session, io) {
    const life = await client.fetchGrantLife();
    if (session.settings.grant === 'cookie')
      return amber(
        'Signed in with user name and password in cookies, which Acumatica is going to discontinue.',
        'Register a connected application (SM303010) and set `grant` to authorization-code.',
      );
    if (!life.hasRefreshToken)
      return amber(
        'No refresh token: refresh tokens are off in SM303010.',
        'Set Refresh Tokens to Sliding with an infinite absolute lifetime (SM303010).',
      );
    const daysLeft = life.endsAt === undefined ? undefined : Math.floor((life.endsAt.getTime() - io.clock.now().getTime()) / dayMs);
    if (daysLeft !== undefined && daysLeft < warnDays)
      return amber(
        `The refresh token ends in ${daysLeft} days (${life.endsAt?.toISOString().slice(0, 10)}).`,
        'Consent again before that day, and set Refresh Tokens to Sliding with an infinite absolute lifetime (SM303010).',
      );
    return green('Acumatica accepted the grant.');
  },
};

async function checkRights(client: Omit<AcumaticaClient, 'check'>): Promise<Omit<CheckResult, 'id'>> {
  const refused: { readonly entity: Entity; readonly failure: Failure }[] = [];
  for (const entity of read) {
    try {
      for await (const _page of client.list(entity, { top: 1, select: [] })) break;
    } catch (error) {
      const failure = asFailure(error);
      if (failure.disposition !== 'held') throw failure;
      refused.push({ entity, failure });
    }
  }
  if (refused.length === 0) return green('The API user can read every form that is needed.');
  const sentence = refused
    .map(({ entity, failure }) =>
      failure.kind === 'PermissionMissing' ? `The API user has no access to ${forms[entity]}.` : failure.record.sentence,
    )
    .join(' ');
  const level = refused.every(({ entity }) => entity === 'JournalTransaction') ? 'amber' : 'red';
  return { level, sentence, fix: 'Give the role of the API user access to these forms (SM201020).' };
}

async function checkBranch(client: Omit<AcumaticaClient, 'check'>, session: Session): Promise<Omit<CheckResult, 'id'>> {
  const { branch, tenant } = session.settings;
  const branches = await client.listBranches();
  const list = branches.map((row) => row.BranchID).join(', ') || 'none';
  if (branch === undefined) return green(`Branches of tenant ${tenant}: ${list}.`);
  const found = branches.find((row) => row.BranchID?.trim().toLowerCase() === branch.toLowerCase());
  if (!found)
    return {
      level: 'red',
      sentence: `Branch ${branch} not found in tenant ${tenant}; found: ${list}.`,
      fix: 'Set `branch` to one of them.',
    };
  if (found.BranchStatus === false)
    return {
      level: 'red',
      sentence: `Branch ${branch} is not active in tenant ${tenant}.`,
      fix: 'Activate it (Branches, CS102000) or set `branch`.',
    };
  return green(`Branch ${branch} belongs to tenant ${tenant}.`);
}

async function checkCurrency(client: Omit<AcumaticaClient, 'check'>): Promise<Omit<CheckResult, 'id'>> {
  for await (const [row] of client.list('Invoice', { top: 1, select: [], custom: ['Document.CuryID'] })) {
    if (row?.custom?.['Document']?.['CuryID'] !== undefined) return green('The currency of documents can be read.');
    if (row)
      return amber(
        'Document currency cannot be read: only base-currency customers will be posted.',
        'Give access to the currency of Invoices and Memos (AR301000).',
      );
  }
  return amber(
    'There is no invoice yet, so it could not be tried whether the currency of documents can be read.',
    'Check again after the first invoice.',
  );
}

async function guarded(id: string, run: () => Promise<Omit<CheckResult, 'id'>>): Promise<CheckResult> {
  try {
    return { id, ...(await run()) };
  } catch (error) {
    return { id, ...red(asFailure(error)) };
  }
}

const green = (sentence: string) => ({ level: 'green', sentence }) as const;
const amber = (sentence: string, fix: string) => ({ level: 'amber', sentence, fix }) as const;
const red = ({ record }: Failure) => ({ level: 'red', sentence: record.sentence, fix: record.fix ?? 'Try again later.' }) as const;

const sorted = (results: readonly CheckResult[]): readonly CheckResult[] =>
  results.toSorted((left, right) => (left.id < right.id ? -1 : 1));
