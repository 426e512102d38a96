/** Country names as Zuora prints them (English short names), by ISO 3166-1 alpha-2 code. Built once from the platform's own list. */
const names = new Map<string, string>();
const display = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
for (const first of letters) {
  for (const second of letters) {
    const name = display.of(first + second);
    if (name !== undefined) names.set(first + second, name);
  }
}
const byName = new Set([...names.values()].map((name) => name.toLowerCase()));

/** Three-letter codes of the countries our examples use; input takes two letters, three letters or the name. */
const threeLetters: Readonly<Record<string, string>> = {
  USA: 'US',
  CAN: 'CA',
  MEX: 'MX',
  GBR: 'GB',
  IRL: 'IE',
  DEU: 'DE',
  AUT: 'AT',
  CHE: 'CH',
  FRA: 'FR',
  NLD: 'NL',
  BEL: 'BE',
  ESP: 'ES',
  ITA: 'IT',
  POL: 'PL',
  SWE: 'SE',
  NOR: 'NO',
  DNK: 'DK',
  FIN: 'FI',
  JPN: 'JP',
  AUS: 'AU',
  NZL: 'NZ',
  IND: 'IN',
  BRA: 'BR',
  SGP: 'SG',
};

const usStates =
  'AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware|DC District of Columbia|FL Florida|GA Georgia|' +
  'HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|KY Kentucky|LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan|' +
  'MN Minnesota|MS Mississippi|MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York|' +
  'NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|RI Rhode Island|SC South Carolina|SD South Dakota|TN Tennessee|' +
  'TX Texas|UT Utah|VT Vermont|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming';
const canadianProvinces =
  'AB Alberta|BC British Columbia|MB Manitoba|NB New Brunswick|NL Newfoundland and Labrador|NS Nova Scotia|NT Northwest Territories|NU Nunavut|' +
  'ON Ontario|PE Prince Edward Island|QC Quebec|SK Saskatchewan|YT Yukon';

const states: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  'United States': codes(usStates),
  Canada: codes(canadianProvinces),
};

function codes(table: string): ReadonlyMap<string, string> {
  return new Map(table.split('|').map((row) => [row.slice(0, 2), row.slice(3)]));
}

/** Reads take codes, answers give full names: `US`, `USA` and `United States` all come back as `United States`. */
export function countryName(text: string): string | undefined {
  const code = text.trim().toUpperCase();
  const name = names.get(threeLetters[code] ?? code);
  if (name !== undefined) return name;
  return byName.has(text.trim().toLowerCase()) ? text.trim() : undefined;
}

export function stateName(text: string, country: string | null): string {
  return (country === null ? undefined : states[country]?.get(text.trim().toUpperCase())) ?? text;
}
