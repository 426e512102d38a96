/** One measured number beside what it may be. Without a limit it is there to be read. */
export interface Measure {
  readonly measure: string;
  readonly value: number;
  readonly unit: string;
  readonly limit?: Limit;
  /** A sentence for people: where the limit comes from, what was counted. */
  readonly about?: string;
}

export type Limit = { readonly atMost: number } | { readonly atLeast: number };

export function holds({ value, limit }: Measure): boolean {
  if (limit === undefined) return true;
  return 'atMost' in limit ? value <= limit.atMost : value >= limit.atLeast;
}

/** `{"measure":…,"value":…,"unit":…,"limit":…,"ok":…}`; `limit` is null where there is none. */
export function measureLine(measure: Measure): string {
  const { limit } = measure;
  const bound = limit === undefined ? null : 'atMost' in limit ? limit.atMost : limit.atLeast;
  return JSON.stringify({ measure: measure.measure, value: rounded(measure.value), unit: measure.unit, limit: bound, ok: holds(measure) });
}

/** Four significant digits: more would only differ from run to run. */
export function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(4));
}

export function limitText(limit: Limit | undefined): string {
  if (limit === undefined) return '';
  return 'atMost' in limit ? `≤ ${rounded(limit.atMost)}` : `≥ ${rounded(limit.atLeast)}`;
}
