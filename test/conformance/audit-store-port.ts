import { describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../lib/contracts/audit.ts';
import type { AuditQuery, AuditStore } from '../../lib/ports/link-store.ts';
import { entryOf } from './link-store-port.ts';

async function everyEntry(audit: AuditStore, query: AuditQuery): Promise<readonly AuditEntry[]> {
  const all: AuditEntry[] = [];
  let after: string | undefined;
  for (let pages = 0; pages < 60; pages += 1) {
    const page = await audit.query({ ...query, ...(after === undefined ? {} : { after }) });
    expect(page.entries.length).toBeLessThanOrEqual(query.limit ?? 100);
    all.push(...page.entries);
    after = page.next;
    if (after === undefined) return all;
  }
  throw new Error('pages without end');
}

/** The guarantees of `AuditStore`, for every implementation. `open` answers an empty store. */
export function describeAuditStore(name: string, open: () => Promise<{ readonly audit: AuditStore }>): void {
  const integration = 'acumatica-zuora';
  const record = 'acumatica-zuora.invoices|b|8ad0';
  const hour = (count: number) => new Date(Date.parse('2026-03-01T00:00:00.000Z') + count * 3_600_000);

  describe(`audit store: ${name}`, () => {
    test('the story of a record is oldest first, whatever the order of writing, and whole over its pages', async () => {
      const { audit } = await open();
      const entries = Array.from({ length: 30 }, (_, index) => entryOf(record, { at: hour(index * 5).toISOString() }));
      await audit.append([...entries].reverse());
      await audit.append([entryOf(`${record}0`), entryOf('acumatica-zuora.invoices|*')]);
      expect(await everyEntry(audit, { integration, record, limit: 7 })).toEqual(entries);
    });

    test('what happened in an integration is oldest first over days and records', async () => {
      const { audit } = await open();
      const entries = Array.from({ length: 26 }, (_, index) => entryOf(`${record}${index % 3}`, { at: hour(index * 11).toISOString() }));
      await audit.append(entries);
      await audit.append([entryOf('nav-zoho.customers|a|C1', { integration: 'nav-zoho' })]);
      expect(await everyEntry(audit, { integration, limit: 4 })).toEqual(entries);
      expect(await everyEntry(audit, { integration: 'nobody' })).toEqual([]);
    });

    test('from and to include their instants, with and without a record', async () => {
      const { audit } = await open();
      const entries = Array.from({ length: 50 }, (_, index) => entryOf(record, { at: hour(index).toISOString() }));
      await audit.append(entries);
      const wanted = entries.slice(20, 31);
      expect(await everyEntry(audit, { integration, record, from: hour(20), to: hour(30), limit: 4 })).toEqual(wanted);
      expect(await everyEntry(audit, { integration, from: hour(20), to: hour(30), limit: 4 })).toEqual(wanted);
      expect(await everyEntry(audit, { integration, from: hour(48) })).toEqual(entries.slice(48));
      expect(await everyEntry(audit, { integration, to: hour(1) })).toEqual(entries.slice(0, 2));
    });

    test('entries of one instant keep the order of their ids', async () => {
      const { audit } = await open();
      const entries = Array.from({ length: 6 }, () => entryOf(record));
      await audit.append([...entries].reverse());
      expect(await everyEntry(audit, { integration, record, limit: 2 })).toEqual(entries);
      expect(await everyEntry(audit, { integration, limit: 2 })).toEqual(entries);
    });

    test('nothing to append is no mistake', async () => {
      const { audit } = await open();
      await audit.append([]);
      expect((await audit.query({ integration })).entries).toEqual([]);
    });
  });
}
