import { describe, expect, test } from 'vitest';
import { countryCode } from '../../../lib/integrations/acumatica-zuora/countries.ts';
import { keepsStates, stateCode } from '../../../lib/integrations/acumatica-zuora/states.ts';

describe('countries by code or name', () => {
  test.each([
    ['United States', 'US'],
    ['united states of america', 'US'],
    ['USA', 'US'],
    ['us', 'US'],
    ['Germany', 'DE'],
    ['DEU', 'DE'],
    ['Korea, Republic of', 'KR'],
    ["Cote D'Ivoire", 'CI'],
    ['Côte d’Ivoire', 'CI'],
    ['Türkiye', 'TR'],
    ['Turkey', 'TR'],
    ['Czech Republic', 'CZ'],
    ['Bahamas, The', 'BS'],
    ['The Netherlands', 'NL'],
    ['St. Lucia', 'LC'],
    ['Saint Lucia', 'LC'],
    ['Trinidad and Tobago', 'TT'],
    ['Viet Nam', 'VN'],
    ['Hong Kong', 'HK'],
    ['Congo', 'CG'],
    ['Congo, the Democratic Republic of the', 'CD'],
    ['Virgin Islands, U.S.', 'VI'],
    ['Curaçao', 'CW'],
  ])('%s → %s', (text, code) => expect(countryCode(text)).toBe(code));

  test.each(['Atlantis', '', 'XX', 'Prussia'])('%s is no country', (text) => expect(countryCode(text)).toBeUndefined());

  test('every name that the platform knows for a country leads to its code', () => {
    const display = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
    const wrong: string[] = [];
    for (const first of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') {
      for (const second of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') {
        const code = `${first}${second}`;
        if (countryCode(code) !== code) continue;
        const name = display.of(code)?.replace(/ SAR China$/, '');
        if (name !== undefined && countryCode(name) !== code) wrong.push(`${code} ${name}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe('states of the six countries that have a list', () => {
  test.each([
    ['US', 'Ohio', 'OH'],
    ['US', 'oh', 'OH'],
    ['US', 'US-OH', 'OH'],
    ['US', 'District of Columbia', 'DC'],
    ['CA', 'Québec', 'QC'],
    ['AU', 'New South Wales', 'NSW'],
    ['BR', 'Sao Paulo', 'SP'],
    ['IN', 'Maharashtra', 'MH'],
    ['MX', 'Nuevo Leon', 'NLE'],
    ['MX', 'Ciudad de México', 'CMX'],
  ])('%s %s → %s', (country, text, code) => expect(stateCode(country, text)).toBe(code));

  test('a state that is not on the list is none, and other countries keep no list', () => {
    expect(stateCode('US', 'Bavaria')).toBeUndefined();
    expect(keepsStates('DE')).toBe(false);
    expect(['US', 'CA', 'AU', 'BR', 'IN', 'MX'].every(keepsStates)).toBe(true);
  });
});
