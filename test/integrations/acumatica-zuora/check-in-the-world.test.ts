import { expect, test } from 'vitest';
import { openMasters } from './masters-world.ts';

interface Report {
  readonly level: string;
  readonly parts: readonly {
    readonly part: string;
    readonly results: readonly { readonly id: string; readonly level: string; readonly sentence: string; readonly fix?: string }[];
  }[];
}

type Options = Parameters<typeof openMasters>[0];

async function checked(options: Options = {}, before?: (pair: Awaited<ReturnType<typeof openMasters>>) => Promise<void>) {
  const pair = await openMasters(options);
  await before?.(pair);
  const report = (await pair.operate('check', {})) as Report;
  const results = report.parts.find(({ part }) => part === 'acumatica-zuora')?.results ?? [];
  return {
    pair,
    results,
    of: (id: string) => results.filter((result) => result.id === id).map(({ level, sentence }) => `${level}: ${sentence}`),
  };
}

const billed = (code: string, more: Readonly<Record<string, unknown>> = {}) => ({
  action: 'create-invoice',
  number: `INV-${code}`,
  account: 'KR-10023',
  date: '2026-03-10',
  items: [{ chargeName: 'Item', amount: '10.00', recognizedRevenueAccountingCode: code, ...more }],
});

test('a well prepared pair is green but for what nobody registered', async () => {
  const { results } = await checked();
  expect(results.filter(({ level }) => level !== 'green').map(({ id }) => id)).toEqual(['Z6']);
  expect([...new Set(results.map(({ id }) => id))]).toEqual(['A7', 'A8', 'A9', 'Z6', 'P1', 'P2', 'P3', 'P4', 'P5']);
});

test('what the settings name must exist in Acumatica', async () => {
  const { of } = await checked({
    settings: {
      methods: [
        { paymentMethod: 'ZCARD', cashAccount: '11000' },
        { currency: 'EUR', paymentMethod: 'NONE', cashAccount: '10210' },
        { currency: 'GBP', paymentMethod: 'VISATOK', cashAccount: '10200' },
      ],
      customers: { class: { default: 'NOCLASS' } },
      tax: { exemptCategory: 'NOCAT' },
      ledger: 'NOLEDGER',
      reasonAccounts: { Other: '99999' },
    },
  });
  expect(of('A7')).toEqual([
    'red: Cash account 11000 is not allowed for AR in payment method ZCARD (CA204000)',
    'red: Payment method NONE not found',
    'red: Payment method VISATOK has integrated processing: Acumatica would charge the card again',
  ]);
  expect(of('A8')).toEqual([
    'red: Customer class NOCLASS not found',
    'red: Tax category NOCAT not found',
    'red: Ledger NOLEDGER not found',
    'red: Account 99999 not found',
  ]);
  expect(of('P2')).toEqual(['red: Currency USD has no cash account in methods']);
});

test('a closed period of today is a limit, not a stop', async () => {
  const { of } = await checked({}, (pair) => pair.acumatica({ action: 'close-period', period: '032026' }));
  expect(of('A8')).toEqual(['amber: Period 03-2026 is closed for AR']);
});

test('every accounting code in use needs a good account', async () => {
  const { of } = await checked({ settings: { accountMap: [{ code: 'Usage Revenue', account: '10200' }] } }, async (pair) => {
    await pair.zuora(billed('EU Usage'), billed('Usage Revenue'), billed('Accounts Receivable'), billed('Discounts'));
    await pair.acumatica({ action: 'set-account', code: '40900', active: false });
  });
  expect(of('P1').toSorted()).toEqual([
    "red: Accounting code 'Accounts Receivable' → account 11000: AR control account",
    "red: Accounting code 'Discounts' → account 40900: inactive",
    "red: Accounting code 'EU Usage' → account (none): not found",
    "red: Accounting code 'Usage Revenue' → account 10200: cash account",
  ]);
});

test('terms without a row and annual revenue are said', async () => {
  const { of } = await checked(
    {
      accounts: [
        { number: 'KR-10023', name: 'Northgate', currency: 'USD', paymentTerm: 'Due Upon Receipt', billTo: { country: 'United States' } },
      ],
    },
    (pair) => pair.zuora(billed('Subscription Revenue', { serviceStartDate: '2026-03-10', serviceEndDate: '2027-03-09' })),
  );
  expect(of('P3')).toEqual([
    "amber: Term 'Due Upon Receipt' not mapped",
    'amber: Annual items will be recognised at billing: choose revenue',
  ]);
});

test('a sandbox does not feed a production ledger', async () => {
  const { of } = await checked({
    configure: (configuration) => ({ ...configuration, environment: 'sandbox' }),
  });
  expect(of('P4')).toEqual(['red: Production Zuora with a sandbox integration']);
});

test('registration is repeatable, and the check knows it', async () => {
  const { pair } = await checked();
  const running = pair.world.operator.integrations[0];
  const open = await pair.world.time.run(Promise.resolve(running?.open()));
  if (running === undefined || open === undefined) throw new Error('no integration');
  const url = 'http://127.0.0.1:7100/webhooks/acumatica-zuora/zuora';
  const register = () => pair.world.time.run(Promise.resolve(running.definition.register?.(open.context, 'b', url)));
  await register();
  expect(await register()).toEqual(['Everything is registered already.']);
  expect(await pair.world.time.run(Promise.resolve(running.definition.register?.(open.context, 'a', url)))).toEqual([
    'Acumatica needs no registration: nothing flows from it.',
  ]);
  const again = (await pair.operate('check', {})) as Report;
  const results = again.parts.find(({ part }) => part === 'acumatica-zuora')?.results ?? [];
  expect(results.filter(({ id }) => id === 'Z6').map(({ level }) => level)).toEqual(['green']);
});
