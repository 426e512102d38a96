/** Seeds that once failed. Each runs in every build, by what it found. */
export interface Regression {
  readonly name: string;
  readonly seed: number;
  readonly changes: number;
  readonly fair?: boolean;
}

export const regressions: readonly Regression[] = [
  { name: 'applications of several dates were taken for a document that somebody removed', seed: 4, changes: 100, fair: true },
  { name: 'an application was dated before the period its document had been moved to', seed: 2, changes: 100, fair: true },
  { name: 'a throttled table, met while a lane was taken, was held as a defect of the record', seed: 2, changes: 60 },
];
