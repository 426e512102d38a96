/**
 * One wide line per event. Names are few and stable (`record.attempted`, `webhook.received`, `http.sent`), so that a search for one
 * name shows everything. Fields never hold bodies, secrets or personal data.
 */
export interface Log {
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
  error(event: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Adds to a metric. Dimensions are low in number: integration, flow, outcome, connection. */
  count(metric: string, value: number, dimensions?: Readonly<Record<string, string>>): void;
}
