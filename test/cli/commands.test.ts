import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Desk, invoice, openDesk, usageInvoice } from '../operations/kestrel-desk.ts';
import { type Console, command, openConsole, type Said, secretAccessKey } from './console.ts';

/** Whole commands over HTTP on a company with one posted invoice and two that are held. */
let desk: Desk;
let there: Console;
const printed: string[] = [];

beforeAll(async () => {
  desk = await openDesk();
  await desk.zuora(invoice('INV00000417'), usageInvoice('INV00000420'), usageInvoice('INV00000421', '10.00', { account: 'KR-20007' }));
  await desk.settle();
  there = await openConsole(desk);
});
afterAll(() => there.close());

const say = async (line: string | readonly string[], given: Parameters<typeof command>[1] = {}): Promise<Said> => {
  const words = typeof line === 'string' ? line.split(' ') : line;
  const said = await command([...words, '--state', there.state], given);
  printed.push(said.out, said.err);
  return said;
};

describe('tables for people', () => {
  test('status', async () => {
    const { code, out } = await say('status');
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "acumatica-zuora
      flow          mode  looks every  last look            read up to           held  waiting
      customers     live  15 min       2026-03-20 12:00:00  2026-03-20 11:00:00  0     0
      invoices      live  15 min       2026-03-20 12:00:00  2026-03-20 11:00:00  2     0
      credit-memos  live  15 min       2026-03-20 12:00:00  2026-03-20 11:00:00  0     0
      payments      live  15 min       2026-03-20 12:00:00  2026-03-20 11:00:00  0     0
      applications  live  15 min       2026-03-20 12:00:00  2026-03-20 11:00:00  0     0
      refunds       live  15 min       2026-03-20 12:00:00  2026-03-20 11:00:00  0     0
      journals      off                                                          0     0
      Connections
        erp (acumatica): live
        billing (zuora): live
      Queues
        live 0 waiting, 0 in work, 0 later · bulk 0 waiting, 0 in work · dead letters 2 · writes under way 0"
    `);
  });

  test('holds', async () => {
    expect((await say('holds')).out).toMatchInlineSnapshot(`
      "account-map:EU Usage  2 records, 10.00 EUR + 90.00 USD  since 2026-03-20 12:00:14
        Accounting code 'EU Usage' has no Acumatica account.
        → Add 'EU Usage' to accountMap (or its G/L number in Zuora); every document held for it is then posted.
        INV00000420, INV00000421"
    `);
  });

  test('audit', async () => {
    expect((await say('audit --outcome created')).out).toMatchInlineSnapshot(`
      "when                 flow       record                            outcome  because of  what
      2026-03-20 12:00:01  customers  KR-10023 Northgate Dental Group   created  poll        KR-10023 Northgate Dental Group created in Acumatica Cloud ERP as C0001001.
      2026-03-20 12:00:02  customers  KR-10031 Hollis Freight LLC       created  poll        KR-10031 Hollis Freight LLC created in Acumatica Cloud ERP as C0001002.
      2026-03-20 12:00:04  customers  KR-20007 Tornow Messtechnik GmbH  created  poll        KR-20007 Tornow Messtechnik GmbH created in Acumatica Cloud ERP as C0001003."
    `);
  });

  test('explain', async () => {
    const { out } = await say('explain INV00000420');
    expect(out.replace(/8ad0[0-9a-f]{28}/g, '(zuora id)')).toMatchInlineSnapshot(`
      "INV00000420  acumatica-zuora.invoices  held  90.00 USD
        acumatica-zuora.invoices|b|(zuora id)
        zuora: (zuora id)
        held since 2026-03-20 12:00:14 (account-map:EU Usage)
        Accounting code 'EU Usage' has no Acumatica account.
        → Add 'EU Usage' to accountMap (or its G/L number in Zuora); every document held for it is then posted.
        Timeline
        2026-03-20 12:00:14  held (account-map:EU Usage)  Accounting code 'EU Usage' has no Acumatica account.  because of poll"
    `);
  });

  test('map', async () => {
    expect((await say('map methods')).out).toMatchInlineSnapshot(`
      "methods
      row                                 fields                                                                    from
      methodType=creditcard;currency=usd  methodType=CreditCard currency=USD paymentMethod=ZCARD cashAccount=10200  connector.yaml
      currency=usd                        currency=USD paymentMethod=ZWIRE cashAccount=10200                        connector.yaml
      methodType=creditcard;currency=eur  methodType=CreditCard currency=EUR paymentMethod=ZCARD cashAccount=10210  connector.yaml
      currency=eur                        currency=EUR paymentMethod=ZWIRE cashAccount=10210                        connector.yaml"
    `);
  });

  test('poll', async () => {
    expect((await say('poll customers invoices')).out).toMatchInlineSnapshot(`
      "acumatica-zuora
      flow       listed  unchanged  queued
      customers  3       3          0
      invoices   3       3          0"
    `);
  });

  test('check: one red line is a failed command', async () => {
    const { code, out } = await say('check');
    expect(code).toBe(1);
    expect(out).toContain("red    P1   Accounting code 'EU Usage' → account (none): not found");
    expect(out.split('\n').at(-1)).toBe('Not ready: the red lines come first.');
  });

  test('dlq list shows what is there, dlq show one letter in full', async () => {
    const { out } = await say('dlq list');
    expect(out).toContain('account-map:EU Usage');
    const id = /^ *([0-9A-Z]{26})/m.exec(out)?.[1] ?? '';
    expect((await say(`dlq show ${id.slice(0, 26)}`)).out).toContain('→ Add');
    expect(await say('dlq show nothing')).toMatchObject({
      code: 1,
      err: 'There is no dead letter nothing.\n→ See what is there with: dlq list',
    });
  });

  test('what is empty says so in words', async () => {
    expect((await say('waiting')).out).toBe('Nothing waits.');
    expect((await say('plans')).out).toBe('No flow is in preview. Switch one: mode invoices preview');
    expect((await say('holds period:202602')).out).toBe('Nothing is held.');
    expect((await say('audit --outcome reversed')).out).toBe('No entries.');
  });
});

describe('answers for programs', () => {
  test.each(['status', 'holds', 'audit', 'explain INV00000417', 'dlq list', 'map', 'plans', 'waiting', 'reports', 'check'])(
    '%s --json is one line of JSON and nothing else',
    async (line) => {
      const { out, err } = await say(`${line} --json`);
      expect(err).toBe('');
      expect(out.split('\n')).toHaveLength(1);
      expect(JSON.parse(out)).toBeTypeOf('object');
    },
  );

  test('a refusal is JSON as well, on the other stream', async () => {
    const { code, out, err } = await say('explain INV99999999 --json');
    expect([code, out]).toEqual([1, '']);
    expect(JSON.parse(err)).toMatchObject({ error: { sentence: expect.stringContaining('INV99999999'), fix: expect.any(String) } });
  });
});

describe('repairs', () => {
  test('replay by record, and by flow and record', async () => {
    expect((await say('replay INV00000417')).out).toMatch(/^1 record will be looked at again now\.\n {2}acumatica-zuora\.invoices\|b\|/);
    expect((await say('replay invoices INV00000417')).code).toBe(0);
    expect((await say('replay one two three')).code).toBe(2);
  });

  test('map sets a row, removes it, and says how many holds waited for it', async () => {
    const set = await say(['map', 'accountMap', 'code=Spare Code', 'account=40100']);
    expect(set).toMatchObject({
      code: 0,
      out: 'accountMap: code=spare code is set to code=Spare Code account=40100. 2 held records will be looked at again now.',
    });
    await desk.settle();
    expect((await say(['map', 'accountMap', '--remove', 'code=Spare Code'])).out).toContain('accountMap: code=spare code is removed.');
    expect((await say(['map', 'reasonAccounts', '--key', 'Goodwill', '66000'])).out).toContain('reasonAccounts: Goodwill is set to 66000.');
    expect((await say(['map', 'reasonAccounts', '--remove', 'Goodwill'])).code).toBe(0);
  });

  test('mode switches, and the audit names the person', async () => {
    expect((await say('mode refunds paused')).out).toBe(
      'refunds was live and is paused now.\nrefunds keeps its changes and goes on where it stopped.',
    );
    expect((await say('mode refunds live')).out).toContain('refunds was paused and is live now.');
    expect((await say('audit --flow refunds --outcome operator')).out).toContain('anna switched refunds from live to paused.');
    expect(there.asked.at(-1)?.headers['authorization']).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/execute-api/,
    );
  });

  test('connect register names the address of this very deployment', async () => {
    const { out } = await say('connect register');
    expect(out).toContain(`${new URL(there.url).origin}/webhooks/acumatica-zuora/zuora`);
  });
});

describe('what cannot be taken back', () => {
  const letters = async (): Promise<number> => (await desk.ask<{ letters: readonly unknown[] }>('dlq-list')).letters.length;

  test.each([
    ['dlq purge --all', 'This removes 2 dead letters for good; the records stay held and can still be replayed.'],
    ['unlink INV00000417', 'This forgets that these records belong together; both stay as they are:'],
    ['mode invoices off', 'This switches invoices off: what changes from now on is left out, and noted as such.'],
  ])('%s: without a person it is refused, with a no nothing happens', async (line, what) => {
    const before = JSON.stringify([await letters(), await desk.ask('status')]).replace(/"at":"[^"]+"/, '');
    const alone = await say(line);
    expect(alone.code).toBe(1);
    expect(alone.err).toContain(what);
    expect(alone.err).toContain('Nobody is here to be asked. Say it again with --yes.');
    const no = await say(line, { says: false });
    expect(no).toMatchObject({ code: 1, questions: ['Go on?'] });
    expect(no.err).toContain('Nothing was changed.');
    expect(JSON.stringify([await letters(), await desk.ask('status')]).replace(/"at":"[^"]+"/, '')).toBe(before);
  });

  test('replay --held asks when it is more than twenty records, and shows their money', async () => {
    const many = await openDesk();
    await many.zuora(...Array.from({ length: 21 }, (_, index) => usageInvoice(`INV000005${String(index).padStart(2, '0')}`)));
    await many.settle();
    const other = await openConsole(many);
    try {
      const alone = await command(['replay', '--held', '--state', other.state]);
      expect(alone.code).toBe(1);
      expect(alone.err).toContain('21 records, 1,890.00 USD');
      expect(alone.err).toContain('This looks again at 21 records.');
      const yes = await command(['replay', '--held', '--state', other.state], { says: true });
      expect(yes).toMatchObject({ code: 0, questions: ['Go on?'] });
      expect(yes.out).toContain('21 records will be looked at again now.');
      expect((await command(['replay', '--held', '--yes', '--state', other.state])).code).toBe(0);
    } finally {
      await other.close();
    }
    expect((await say('replay --held')).code).toBe(0);
  });

  test('with a yes it is done', async () => {
    expect((await say('mode refunds off', { says: true })).out).toContain('refunds was live and is off now.');
    expect((await say('mode refunds live')).code).toBe(0);
    expect((await say('unlink INV00000417 --yes')).out).toContain('The link of INV00000417 is forgotten');
    expect((await say('dlq purge --cause account-map:*', { says: true })).out).toBe('2 dead letters removed.');
    expect((await say('dlq list')).out).toBe('The dead-letter queue is empty.');
  });
});

test('nothing that was printed holds a secret', () => {
  const everything = printed.join('\n');
  expect(everything.length).toBeGreaterThan(5000);
  for (const secret of [secretAccessKey, 'simulated-acumatica-secret', 'kT9+xQ=/y0mZ', 'rehearsal-Hmac_s3cret'])
    expect(everything).not.toContain(secret);
});
