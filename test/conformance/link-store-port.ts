import { describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../lib/contracts/audit.ts';
import type { Leased, Link } from '../../lib/contracts/link.ts';
import type { FailureRecord } from '../../lib/failures.ts';
import type { AuditStore, LinkPage, LinkStore } from '../../lib/ports/link-store.ts';
import { type RecordRef, refText, type Side } from '../../lib/values/record-ref.ts';

export interface LinkStoreWorld {
  readonly links: LinkStore;
  readonly audit: AuditStore;
}

const flow = 'acumatica-zuora.invoices';
const now = new Date('2026-03-02T08:00:00.000Z');
const later = (ms: number) => new Date(now.getTime() + ms);
const ref = (key: string, side: Side = 'b', of = flow): RecordRef => ({ flow: of, side, key });
let ids = 0;

export function entryOf(record: string, more: Partial<AuditEntry> = {}): AuditEntry {
  ids += 1;
  return {
    id: `01AUDIT${String(ids).padStart(19, '0')}`,
    at: now.toISOString(),
    integration: 'acumatica-zuora',
    record,
    cause: 'poll',
    outcome: 'posted',
    sentence: 'INV00000417 posted as Invoice AR000012: 1,334.88 USD',
    ...more,
  };
}

function trouble(kind: FailureRecord['kind'], cause: string, dependency?: string): FailureRecord {
  return { kind, cause, sentence: 'It stopped.', actor: 'customer', ...(dependency === undefined ? {} : { dependency }) };
}

async function take(links: LinkStore, record: RecordRef, at = now, owner = 'worker 1', forMs = 60_000): Promise<Leased> {
  const answer = (await links.lease([record], { owner, now: at, until: new Date(at.getTime() + forMs) })).get(refText(record));
  if (!answer || 'busy' in answer) throw new Error(`${refText(record)} is busy`);
  return answer;
}

const changed = (leased: Leased, more: Partial<Link>): Leased => ({ fence: leased.fence, link: { ...leased.link, ...more } });

async function settle(links: LinkStore, record: RecordRef, more: Partial<Link>, audit: readonly AuditEntry[] = []): Promise<void> {
  await links.commit(changed(await take(links, record), more), audit);
}

async function everyPage(read: (after?: string) => Promise<LinkPage>): Promise<readonly string[]> {
  const keys: string[] = [];
  let after: string | undefined;
  for (let pages = 0; pages < 60; pages += 1) {
    const page = await read(after);
    keys.push(...page.links.map((link) => link.origin.key));
    after = page.next;
    if (after === undefined) return keys;
  }
  throw new Error('pages without end');
}

/** The guarantees of `LinkStore`, for every implementation. `open` answers an empty store. */
export function describeLinkStore(name: string, open: () => Promise<LinkStoreWorld>): void {
  describe(`link store: ${name}`, () => {
    test('a lease of an unknown record makes a link in state new', async () => {
      const { links } = await open();
      const leased = await take(links, ref('8ad0'));
      expect(leased.link).toEqual({ origin: ref('8ad0'), keys: { b: '8ad0' }, state: 'new', updatedAt: now.toISOString() });
      expect((await links.findMany([ref('8ad0')])).get(refText(ref('8ad0')))?.state).toBe('new');
    });

    test('of many workers that lease a record at the same moment exactly one has it', async () => {
      const { links } = await open();
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, index) => links.lease([ref('8ad0')], { owner: `worker ${index}`, now, until: later(60_000) })),
      );
      const each = answers.map((answer) => answer.get(refText(ref('8ad0'))));
      expect(each.filter((answer) => answer && 'fence' in answer)).toHaveLength(1);
      expect(each.filter((answer) => answer && 'busy' in answer)).toEqual(Array(11).fill({ busy: later(60_000) }));
    });

    test('two leases by one owner for one time are still two', async () => {
      const { links } = await open();
      const lease = { owner: 'worker 1', now, until: later(60_000) };
      await links.lease([ref('8ad0')], lease);
      expect((await links.lease([ref('8ad0')], lease)).get(refText(ref('8ad0')))).toEqual({ busy: later(60_000) });
    });

    test('30 records are leased in one call, some of them busy', async () => {
      const { links } = await open();
      const records = Array.from({ length: 30 }, (_, index) => ref(`key ${index}`));
      await links.lease(records.slice(0, 10), { owner: 'worker 1', now, until: later(1000) });
      const answers = await links.lease(records, { owner: 'worker 2', now, until: later(2000) });
      expect(answers.size).toBe(30);
      expect([...answers.values()].filter((answer) => 'busy' in answer)).toHaveLength(10);
      expect((await links.findMany([...records, ref('unknown')])).size).toBe(30);
    });

    test('an expired lease is taken over with a higher fence, and the old worker can write no more', async () => {
      const { links } = await open();
      const old = await take(links, ref('8ad0'), now, 'worker 1', 1000);
      const young = await take(links, ref('8ad0'), later(1000), 'worker 2');
      expect(young.fence).toBeGreaterThan(old.fence);
      const lost = { kind: 'LeaseLost' };
      await expect(links.save(changed(old, { label: 'old' }))).rejects.toMatchObject(lost);
      await expect(links.commit(changed(old, { label: 'old', state: 'synced' }), [entryOf(refText(ref('8ad0')))])).rejects.toMatchObject(
        lost,
      );
      await expect(links.release([old])).rejects.toMatchObject(lost);
      await expect(links.remove(old, [])).rejects.toMatchObject(lost);
      await links.save(changed(young, { label: 'young' }));
      expect((await links.findMany([ref('8ad0')])).get(refText(ref('8ad0')))?.label).toBe('young');
    });

    test('a worker that slept while its link was removed and made anew is refused', async () => {
      const { links } = await open();
      const sleeper = await take(links, ref('8ad0'), now, 'worker 1', 1000);
      await links.release([await take(links, ref('8ad0'), later(2000), 'worker 2')]);
      const young = await take(links, ref('8ad0'), later(3000), 'worker 3');
      expect(young.fence).toBeGreaterThan(sleeper.fence);
      await expect(links.save(changed(sleeper, { label: 'sleeper' }))).rejects.toMatchObject({ kind: 'LeaseLost' });
    });

    test('after its end by commit or release a lease writes no more', async () => {
      const { links } = await open();
      const committed = await take(links, ref('8ad0'));
      await links.commit(changed(committed, { state: 'synced' }), []);
      await expect(links.save(changed(committed, { state: 'held' }))).rejects.toMatchObject({ kind: 'LeaseLost' });
      const released = await take(links, ref('8ad0'));
      await links.release([released]);
      await expect(links.commit(released, [])).rejects.toMatchObject({ kind: 'LeaseLost' });
      expect((await take(links, ref('8ad0'))).link.state).toBe('synced');
    });

    test('save keeps the lease, and moves its end when told to', async () => {
      const { links } = await open();
      const leased = await take(links, ref('8ad0'), now, 'worker 1', 1000);
      const intent = { stage: 'prepare', marker: 'ZU-1', fence: leased.fence, sentAt: now.toISOString() } as const;
      await links.save(changed(leased, { state: 'working', intent }));
      const busy = async (at: Date) =>
        (await links.lease([ref('8ad0')], { owner: 'worker 2', now: at, until: later(9000) })).get(refText(ref('8ad0')));
      expect(await busy(later(500))).toEqual({ busy: later(1000) });
      await links.save(changed(leased, { state: 'working', intent }), { until: later(5000) });
      expect(await busy(later(1500))).toEqual({ busy: later(5000) });
      expect((await take(links, ref('8ad0'), later(5000))).link.intent).toEqual(intent);
    });

    test('release of a look that decided nothing leaves no trace, and of anything else changes nothing', async () => {
      const { links } = await open();
      await links.release([await take(links, ref('8ad0')), await take(links, ref('8ad1'))]);
      expect((await links.findMany([ref('8ad0'), ref('8ad1')])).size).toBe(0);
      const leased = await take(links, ref('8ad0'));
      await links.save(changed(leased, { state: 'working' }));
      await links.release([leased]);
      expect((await links.findMany([ref('8ad0')])).get(refText(ref('8ad0')))?.state).toBe('working');
    });

    test('a commit makes the other side point to the link, for finding and for leasing', async () => {
      const { links } = await open();
      const other = ref('Invoice/AR004711', 'a');
      await settle(links, ref('8ad0'), { state: 'synced', keys: { a: other.key, b: '8ad0' } });
      const found = await links.findMany([ref('8ad0'), other]);
      expect(found.get(refText(other))?.origin).toEqual(ref('8ad0'));
      expect(found.get(refText(ref('8ad0')))).toEqual(found.get(refText(other)));
      const answers = await links.lease([other, ref('8ad0')], { owner: 'worker 2', now, until: later(1000) });
      expect([...answers.values()].filter((answer) => 'fence' in answer)).toHaveLength(1);
      expect([...answers.values()].filter((answer) => 'busy' in answer)).toHaveLength(1);
    });

    test('a key that belongs to another link is refused, and then nothing is written', async () => {
      const { audit, links } = await open();
      const other = ref('AR1', 'a');
      await settle(links, ref('8ad0'), { state: 'synced', keys: { a: 'AR1', b: '8ad0' } });
      const second = await take(links, ref('8ad1'));
      const entry = entryOf(refText(ref('8ad1')));
      const wrong = changed(second, { state: 'synced', keys: { a: 'AR1', b: '8ad1' }, label: 'wrong' });
      await expect(links.commit(wrong, [entry])).rejects.toMatchObject({ kind: 'NeedsPerson', record: { cause: 'already-linked' } });
      expect((await links.findMany([other])).get(refText(other))?.origin.key).toBe('8ad0');
      expect((await links.findMany([ref('8ad1')])).get(refText(ref('8ad1')))).toEqual(second.link);
      expect((await audit.query({ integration: 'acumatica-zuora', record: entry.record })).entries).toEqual([]);
      await links.commit(changed(second, { state: 'held', trouble: trouble('NeedsPerson', 'already-linked') }), [entry]);
    });

    test('a key that is the origin of a settled link is refused as well', async () => {
      const { links } = await open();
      await settle(links, ref('AR1', 'a'), { state: 'synced' });
      const leased = await take(links, ref('8ad0'));
      await expect(links.commit(changed(leased, { keys: { a: 'AR1', b: '8ad0' } }), [])).rejects.toMatchObject({ kind: 'NeedsPerson' });
    });

    test('of two links that claim one key at the same moment exactly one gets it', async () => {
      const { links } = await open();
      const leases = await Promise.all(['x', 'y', 'z'].map((key) => take(links, ref(key))));
      const claims = await Promise.allSettled(
        leases.map((leased) => links.commit(changed(leased, { state: 'synced', keys: { a: 'AR1', b: leased.link.origin.key } }), [])),
      );
      expect(claims.filter((claim) => claim.status === 'fulfilled')).toHaveLength(1);
      const owner = (await links.findMany([ref('AR1', 'a')])).get(refText(ref('AR1', 'a')))?.origin.key;
      expect(claims.findIndex((claim) => claim.status === 'fulfilled')).toBe(['x', 'y', 'z'].indexOf(owner ?? ''));
    });

    test('a link nobody decided anything about gives way to the record that owns its key', async () => {
      const { links } = await open();
      const leased = await take(links, ref('8ad0'));
      // The echo of our own create: its webhook is being looked at while we commit.
      const echo = await take(links, ref('AR1', 'a'), now, 'worker 2');
      await links.commit(changed(leased, { state: 'synced', keys: { a: 'AR1', b: '8ad0' } }), []);
      await expect(links.save(changed(echo, { state: 'working' }))).rejects.toMatchObject({ kind: 'LeaseLost' });
      await expect(links.release([echo])).rejects.toMatchObject({ kind: 'LeaseLost' });
      expect((await links.findMany([ref('AR1', 'a')])).get(refText(ref('AR1', 'a')))?.origin.key).toBe('8ad0');
    });

    test('a second commit may name a further key, and the former one still leads to the link', async () => {
      const { links } = await open();
      await settle(links, ref('8ad0'), { state: 'synced', keys: { a: 'AR1', b: '8ad0' } });
      await settle(links, ref('AR1', 'a'), { keys: { a: 'AR2', b: '8ad0' }, note: 'reposted' });
      const found = await links.findMany([ref('AR1', 'a'), ref('AR2', 'a'), ref('8ad0')]);
      expect([...found.values()].map((link) => [link.origin.key, link.note])).toEqual(Array(3).fill(['8ad0', 'reposted']));
    });

    test('remove takes link and pointers away and keeps the audit', async () => {
      const { audit, links } = await open();
      await settle(links, ref('8ad0'), { state: 'synced', keys: { a: 'AR1', b: '8ad0' } });
      await settle(links, ref('8ad0'), { keys: { a: 'AR2', b: '8ad0' } });
      const entry = entryOf(refText(ref('8ad0')), { outcome: 'operator', operator: 'mira' });
      await links.remove(await take(links, ref('AR2', 'a')), [entry]);
      expect((await links.findMany([ref('8ad0'), ref('AR1', 'a'), ref('AR2', 'a')])).size).toBe(0);
      expect((await audit.query({ integration: 'acumatica-zuora', record: entry.record })).entries).toEqual([entry]);
      expect((await take(links, ref('AR1', 'a'))).link.origin.side).toBe('a');
    });

    test('the audit of a commit is there with it, every field unchanged', async () => {
      const { audit, links } = await open();
      const record = refText(ref('8ad0'));
      const entries = [
        entryOf(record, { money: { amount: '1334.88', currency: 'USD' }, before: { a: 1 }, after: { b: ['ü'] }, fence: 7 }),
        entryOf(record, { outcome: 'held', failure: trouble('MappingMissing', 'account-map:EU') }),
      ];
      await settle(links, ref('8ad0'), { state: 'synced' }, entries);
      expect((await audit.query({ integration: 'acumatica-zuora', record })).entries).toEqual(entries);
    });

    test('held links come ordered by cause, of one integration, a page at a time', async () => {
      const { links } = await open();
      const causes = ['period:202602', 'account-map:EU Usage', 'account-map:EU'];
      for (let index = 0; index < 9; index += 1) {
        await settle(links, ref(`key ${index}`), { state: 'held', trouble: trouble('NeedsPerson', causes[index % 3] ?? '') });
      }
      await settle(links, ref('elsewhere', 'b', 'nav-zoho.customers'), { state: 'held', trouble: trouble('NeedsPerson', 'x') });
      const keys = await everyPage((after) => links.listHeld('acumatica-zuora', { limit: 2, ...(after === undefined ? {} : { after }) }));
      expect(keys.map((key) => Number(key.slice(4)) % 3)).toEqual([2, 2, 2, 1, 1, 1, 0, 0, 0]);
      expect(new Set(keys).size).toBe(9);
      const one = await links.listHeld('acumatica-zuora', { cause: 'account-map:EU' });
      expect(one.links.map((link) => link.trouble?.cause)).toEqual(Array(3).fill('account-map:EU'));
      await settle(links, ref('key 2'), { state: 'synced' });
      expect((await links.listHeld('acumatica-zuora', { cause: 'account-map:EU' })).links).toHaveLength(2);
    });

    test('a cause of any length and with any letter is found again', async () => {
      const { links } = await open();
      const cause = `account-map:${'ü|'.repeat(800)}`;
      await settle(links, ref('8ad0'), { state: 'held', trouble: trouble('NeedsPerson', cause) });
      expect((await links.listHeld('acumatica-zuora', { cause })).links.map((link) => link.trouble?.cause)).toEqual([cause]);
    });

    test('waiting links are found by what they wait for', async () => {
      const { links } = await open();
      const customer = refText(ref('C1', 'b', 'acumatica-zuora.customers'));
      await settle(links, ref('1'), { state: 'waiting', trouble: trouble('DependencyMissing', 'customer', customer) });
      await settle(links, ref('2'), { state: 'waiting', trouble: trouble('DependencyMissing', 'customer', `${customer}0`) });
      await settle(links, ref('3'), { state: 'waiting', trouble: trouble('ConditionPending', 'approval') });
      const found = await links.listWaiting('acumatica-zuora', { dependency: customer });
      expect(found.links.map((link) => link.origin.key)).toEqual(['1']);
      expect((await links.listWaiting('acumatica-zuora')).links).toHaveLength(3);
    });

    test('working links are found as soon as their write is announced, and no longer than that', async () => {
      const { links } = await open();
      const leased = await take(links, ref('8ad0'));
      await links.save(changed(leased, { state: 'working' }));
      expect((await links.listWorking('acumatica-zuora')).links.map((link) => link.origin.key)).toEqual(['8ad0']);
      await links.commit(changed(leased, { state: 'synced' }), []);
      expect((await links.listWorking('acumatica-zuora')).links).toEqual([]);
    });

    test('a label finds its links in any letter case, whole or as the first word', async () => {
      const { links } = await open();
      await settle(links, ref('1'), { state: 'synced', label: 'INV00000417' });
      await settle(links, ref('2'), { state: 'synced', label: 'inv00000417 corrected' });
      await settle(links, ref('3'), { state: 'synced', label: 'INV000004170' });
      await settle(links, ref('4', 'b', 'nav-zoho.customers'), { state: 'synced', label: 'INV00000417' });
      const found = await links.findByLabel('acumatica-zuora', 'Inv00000417');
      expect(found.map((link) => link.origin.key).sort()).toEqual(['1', '2']);
      expect(await links.findByLabel('acumatica-zuora', 'INV')).toEqual([]);
    });

    test('a list of a flow has every link once, ordered by side and key, without pointers and other flows', async () => {
      const { links } = await open();
      for (let index = 0; index < 12; index += 1) {
        await settle(links, ref(`k${String((index * 5) % 12).padStart(2, '0')}`), {
          state: 'synced',
          keys: { a: `AR${index}`, b: `k${String((index * 5) % 12).padStart(2, '0')}` },
        });
      }
      await settle(links, ref('first', 'a'), { state: 'synced' });
      await settle(links, ref('foreign', 'b', `${flow}2`), { state: 'synced' });
      const keys = await everyPage((after) => links.list(flow, { limit: 5, ...(after === undefined ? {} : { after }) }));
      expect(keys).toEqual(['first', ...Array.from({ length: 12 }, (_, index) => `k${String(index).padStart(2, '0')}`)]);
    });

    test('a link with much to remember is kept whole', async () => {
      const { links } = await open();
      const base = {
        lines: Array.from({ length: 2000 }, (_, index) => ({ line: index, text: 'Überweisung für März', amount: '1334.88' })),
      };
      await settle(links, ref('8ad0'), { state: 'synced', base });
      expect((await links.findMany([ref('8ad0')])).get(refText(ref('8ad0')))?.base).toEqual(base);
    });
  });
}
