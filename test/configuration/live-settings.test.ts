import { describe, expect, it } from 'vitest';
import { effectiveSettings, rowKeyOf } from '../../lib/configuration/live-settings.ts';
import type { Integration } from '../../lib/contracts/integration.ts';
import { acumaticaZuora } from '../../lib/integrations/acumatica-zuora/integration.ts';

const definition = acumaticaZuora as Integration;
const written = {
  startFrom: '2026-02-01',
  branch: 'MAIN',
  accountMap: [{ code: 'EU Usage', account: '40100' }],
  reasonAccounts: { 'Write-off': '66000' },
};
const accountMap = definition.tables.find((table) => table.name === 'accountMap');
const settingsWith = (rows: Parameters<typeof effectiveSettings>[2]['rows']) =>
  effectiveSettings(definition, written, { modes: {}, rows }) as { accountMap: unknown[]; reasonAccounts: Record<string, string> };

describe('edits of operators over connector.yaml', () => {
  it('a row replaces the row with the same key, in any letter case', () => {
    if (!accountMap) throw new Error('accountMap is a table');
    const row = { code: 'eu usage', account: '40199' };
    expect(settingsWith([{ table: 'accountMap', rowKey: rowKeyOf(accountMap, row), row }]).accountMap).toEqual([row]);
  });

  it('a new row is added, a removed row is gone', () => {
    const added = { code: 'Training', account: '40300' };
    expect(settingsWith([{ table: 'accountMap', rowKey: 'code=training', row: added }]).accountMap).toHaveLength(2);
    expect(settingsWith([{ table: 'accountMap', rowKey: 'code=eu usage', row: null }]).accountMap).toEqual([]);
  });

  it('entries of a table of names are set and removed', () => {
    expect(settingsWith([{ table: 'reasonAccounts', rowKey: 'Goodwill', row: '66500' }]).reasonAccounts).toEqual({
      'Write-off': '66000',
      Goodwill: '66500',
    });
    expect(settingsWith([{ table: 'reasonAccounts', rowKey: 'Write-off', row: null }]).reasonAccounts).toEqual({});
  });

  it('an edit that breaks the settings is refused with the field', () => {
    expect(() => settingsWith([{ table: 'accountMap', rowKey: 'code=x', row: { code: 'X' } }])).toThrow(/accountMap\[1\]\.account/);
  });

  it('connector.yaml itself is never changed', () => {
    settingsWith([{ table: 'reasonAccounts', rowKey: 'Goodwill', row: '66500' }]);
    expect(written.reasonAccounts).toEqual({ 'Write-off': '66000' });
  });
});
