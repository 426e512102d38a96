import type { CheckResult } from '../../contracts/vendor.ts';
import { findCodeTrouble, findHierarchyTrouble, findMethodTrouble } from './checks/acumatica-setup.ts';
import {
  findAccountTrouble,
  findCurrencyTrouble,
  findEnvironmentTrouble,
  findJournalTrouble,
  findTermTrouble,
  type InUse,
  readInUse,
} from './checks/billing-setup.ts';
import { found } from './checks/found.ts';
import type { PairContext } from './context.ts';
import { inspectRegistration } from './register.ts';

/** What the pair needs beyond each vendor's own checks: A7 to A9, Z6, P1 to P5. Reads everything afresh and writes nothing. */
export async function checkPair(
  context: PairContext,
  about: { readonly environment: 'production' | 'sandbox' },
): Promise<readonly CheckResult[]> {
  await context.loadBooks([]);
  const books = await context.refreshBooks();
  let reading: Promise<InUse> | undefined;
  const inUse = (): Promise<InUse> => {
    reading ??= readInUse(context);
    return reading;
  };
  const groups = [
    await found('A7', 'Every payment method and cash account may be used.', () => findMethodTrouble(context)),
    await found('A8', 'Every code of the settings exists, and today is in an open period.', () => findCodeTrouble(context, books)),
    await found('A9', 'The hierarchy of customers can be read, or is off.', () => findHierarchyTrouble(context)),
    await inspectRegistration(context),
    await found('P1', 'Every accounting code in use leads to a good account.', async () =>
      findAccountTrouble(context, books, await inUse()),
    ),
    await found('P2', 'Every currency in use is ready.', async () => findCurrencyTrouble(context, books, await inUse())),
    await found('P3', 'Every payment term in use is mapped.', async () => findTermTrouble(context, await inUse())),
    await found('P4', 'Zuora is the kind of tenant the configuration says.', async () =>
      findEnvironmentTrouble(context, about.environment),
    ),
    await found('P5', 'Journals can be read, or are not needed.', () => findJournalTrouble(context)),
  ];
  return groups.flat();
}
