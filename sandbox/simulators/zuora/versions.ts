/** `Zuora-Version` values in order of age. */
const listed = (
  '187.0 188.0 189.0 196.0 206.0 207.0 211.0 214.0 215.0 216.0 223.0 224.0 230.0 239.0 256.0 257.0 309.0 314.0 315.0 329.0 330.0 336.0 337.0 ' +
  '338.0 341.0 2024-05-20 2025-08-12'
).split(' ');

/** Age of the effective version. No header, or a value that is not listed (a typo), silently counts as 186.0. */
export function versionAge(header: string | undefined): number {
  return listed.indexOf(header?.trim() ?? '');
}

const ageOf = (version: string): number => listed.indexOf(version);

/** Business errors carry their own HTTP status; before, they came as 200 with `success: false`. */
export const hasTrueStatus = (age: number): boolean => age >= ageOf('2024-05-20');

/** Object Query errors are `{reasons, requestId}`. */
export const hasQueryReasons = (age: number): boolean => age >= ageOf('2025-08-12');

/** Memo items say `description` instead of `comment`. */
export const saysDescription = (age: number): boolean => age >= ageOf('257.0');

/** Memo items carry `taxationItems{data[]}` instead of `creditTaxItems[]`. */
export const saysTaxationItems = (age: number): boolean => age >= ageOf('239.0');

/** Memo items say `amount` instead of `memoItemAmount`. */
export const saysAmount = (age: number): boolean => age >= ageOf('224.0');
