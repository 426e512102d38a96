import { fold } from './countries.ts';

/**
 * States and provinces → the last part of their ISO 3166-2 code, for the countries where Acumatica keeps a list of them. Codes of India are those
 * from before the renaming of 2023, which ERP state lists still have. Source: ISO 3166-2 (read 2026-11-21).
 */
const tables: Readonly<Record<string, string>> = {
  US:
    'AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware|DC District of Columbia/Washington DC|' +
    'FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|KY Kentucky|LA Louisiana|ME Maine|MD Maryland|' +
    'MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi|MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|' +
    'NM New Mexico|NY New York|NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|PR Puerto Rico|RI Rhode Island|' +
    'SC South Carolina|SD South Dakota|TN Tennessee|TX Texas|UT Utah|VT Vermont|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming',
  CA:
    'AB Alberta|BC British Columbia|MB Manitoba|NB New Brunswick|NL Newfoundland and Labrador/Newfoundland|NS Nova Scotia|' +
    'NT Northwest Territories|NU Nunavut|ON Ontario|PE Prince Edward Island|QC Quebec|SK Saskatchewan|YT Yukon/Yukon Territory',
  AU:
    'ACT Australian Capital Territory|NSW New South Wales|NT Northern Territory|QLD Queensland|SA South Australia|TAS Tasmania|VIC Victoria|' +
    'WA Western Australia',
  BR:
    'AC Acre|AL Alagoas|AP Amapá|AM Amazonas|BA Bahia|CE Ceará|DF Distrito Federal/Federal District|ES Espírito Santo|GO Goiás|MA Maranhão|' +
    'MT Mato Grosso|MS Mato Grosso do Sul|MG Minas Gerais|PA Pará|PB Paraíba|PR Paraná|PE Pernambuco|PI Piauí|RJ Rio de Janeiro|' +
    'RN Rio Grande do Norte|RS Rio Grande do Sul|RO Rondônia|RR Roraima|SC Santa Catarina|SP São Paulo|SE Sergipe|TO Tocantins',
  IN:
    'AN Andaman and Nicobar Islands|AP Andhra Pradesh|AR Arunachal Pradesh|AS Assam|BR Bihar|CH Chandigarh|CT Chhattisgarh|DL Delhi|' +
    'DH Dadra and Nagar Haveli and Daman and Diu|GA Goa|GJ Gujarat|HR Haryana|HP Himachal Pradesh|JK Jammu and Kashmir|JH Jharkhand|' +
    'KA Karnataka|KL Kerala|LA Ladakh|LD Lakshadweep|MP Madhya Pradesh|MH Maharashtra|MN Manipur|ML Meghalaya|MZ Mizoram|NL Nagaland|' +
    'OR Odisha/Orissa|PY Puducherry/Pondicherry|PB Punjab|RJ Rajasthan|SK Sikkim|TN Tamil Nadu|TG Telangana|TR Tripura|UP Uttar Pradesh|' +
    'UT Uttarakhand/Uttaranchal|WB West Bengal',
  MX:
    'AGU Aguascalientes|BCN Baja California|BCS Baja California Sur|CAM Campeche|CHP Chiapas|CHH Chihuahua|' +
    'CMX Ciudad de México/Mexico City/Distrito Federal|COA Coahuila/Coahuila de Zaragoza|COL Colima|DUR Durango|GUA Guanajuato|GRO Guerrero|' +
    'HID Hidalgo|JAL Jalisco|MEX México/Estado de México|MIC Michoacán/Michoacán de Ocampo|MOR Morelos|NAY Nayarit|NLE Nuevo León|OAX Oaxaca|' +
    'PUE Puebla|QUE Querétaro|ROO Quintana Roo|SLP San Luis Potosí|SIN Sinaloa|SON Sonora|TAB Tabasco|TAM Tamaulipas|TLA Tlaxcala|' +
    'VER Veracruz/Veracruz de Ignacio de la Llave|YUC Yucatán|ZAC Zacatecas',
};

const states = new Map(Object.entries(tables).map(([country, table]) => [country, namesOf(table)]));

function namesOf(table: string): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const row of table.split('|')) {
    const [code = '', ...words] = row.split(' ');
    for (const name of [code, ...words.join(' ').split('/')]) names.set(fold(name), code);
  }
  return names;
}

/** Does Acumatica keep the states of this country as codes? Elsewhere a state is not carried over. */
export const keepsStates = (country: string): boolean => states.has(country);

/** Code of a state by code or name; undefined when it is not on the country's list. */
export function stateCode(country: string, text: string): string | undefined {
  return states.get(country)?.get(fold(text.replace(new RegExp(`^${country}-`, 'i'), '')));
}
