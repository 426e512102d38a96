/** Something a person should know today. */
export interface Alert {
  /** Names the occasion, without instants: `circuit|kestrel-erp`, `silence|acumatica-zuora.invoices`. */
  readonly key: string;
  readonly integration: string;
  readonly sentence: string;
  readonly fix?: string;
}

/**
 * Tells a person. The engine raises an occasion once and again only after it was over; a crash in between may repeat it.
 * A failure to tell is logged by the engine and never stops the work.
 */
export interface Alerts {
  raise(alert: Alert): Promise<void>;
}
