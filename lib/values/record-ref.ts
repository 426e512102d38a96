/** Which of the two systems of an integration: `acumatica-zuora` has Acumatica as `a` and Zuora as `b`. */
export type Side = 'a' | 'b';

export const otherSide = (side: Side): Side => (side === 'a' ? 'b' : 'a');

/** A record as the engine names it: one flow, one side, the vendor's own durable key (always text). */
export interface RecordRef {
  /** Full flow key, `acumatica-zuora.invoices`. */
  readonly flow: string;
  readonly side: Side;
  readonly key: string;
}

/** `acumatica-zuora.invoices|b|8ad0…`: unique across the product, used as table key, lock name and in messages. */
export function refText(ref: RecordRef): string {
  return `${ref.flow}|${ref.side}|${ref.key}`;
}

export function parseRef(text: string): RecordRef {
  const [flow, side, ...key] = text.split('|');
  if (!flow || (side !== 'a' && side !== 'b') || key.length === 0) throw new RangeError(`not a record reference: ${JSON.stringify(text)}`);
  return { flow, side, key: key.join('|') };
}

/** `acumatica-zuora.invoices` → `acumatica-zuora`. */
export function integrationOf(flow: string): string {
  const dot = flow.indexOf('.');
  if (dot < 1) throw new RangeError(`not a full flow key: ${JSON.stringify(flow)}`);
  return flow.slice(0, dot);
}
