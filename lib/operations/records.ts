import type { Connector } from '../connector.ts';
import type { Link } from '../contracts/link.ts';
import { parseRef, type RecordRef, refText } from '../values/record-ref.ts';
import { flowsOf, integrationsOf, isFlow, refused } from './operation.ts';

/** A record as a person named it, found: its reference and what the connector remembers of it. */
export interface FoundRecord {
  readonly ref: RecordRef;
  readonly link: Link;
}

export interface RecordAsk {
  readonly integration?: string | undefined;
  readonly flow?: string | undefined;
}

/**
 * Finds what a person means by `INV00000417`, `KR-10023`, `Invoice/AR000012`, a vendor id, or a full reference: by reference, by key on either side,
 * by label. Several flows may know the same text (a payment and its applications): all are answered, in the order of the flows.
 */
export async function findRecords(connector: Connector, text: string, ask: RecordAsk = {}): Promise<readonly FoundRecord[]> {
  const wanted = text.trim();
  if (wanted === '') throw refused('No record was named.', 'Name one: explain INV00000417');
  const found = new Map<string, FoundRecord>();
  const keep = (link: Link): void => void found.set(refText(link.origin), { ref: link.origin, link });
  const flows = flowsOf(connector, ask.integration, ask.flow);
  const full = fullReference(connector, wanted);
  if (full) {
    const link = (await connector.ports.links.findMany([full])).get(refText(full));
    if (link && isFlow(full.flow, ask.flow)) keep(link);
    return [...found.values()];
  }
  const refs = flows.flatMap(({ key: flow }) => (['a', 'b'] as const).map((side) => ({ flow, side, key: wanted })));
  for (const link of (await connector.ports.links.findMany(refs)).values()) keep(link);
  for (const running of integrationsOf(connector, ask.integration)) {
    for (const link of await connector.ports.links.findByLabel(running.name, wanted)) {
      if (isFlow(link.origin.flow, ask.flow)) keep(link);
    }
  }
  const order = new Map(flows.map(({ key }, index) => [key, index]));
  return [...found.values()].sort((left, right) => (order.get(left.ref.flow) ?? 0) - (order.get(right.ref.flow) ?? 0));
}

/** `flow|side|key` as the audit prints it, of a flow this deployment has; undefined for any other text. */
export function fullReference(connector: Connector, text: string): RecordRef | undefined {
  if (!text.includes('|')) return undefined;
  const ref = readRef(text);
  const known = flowsOf(connector, undefined, undefined).map(({ key }) => key);
  if (known.includes(ref.flow)) return ref;
  throw refused(`"${text}" names the flow "${ref.flow}", which this deployment does not have.`, `Flows are: ${known.join(', ')}.`);
}

function readRef(text: string): RecordRef {
  try {
    const ref = parseRef(text);
    if (ref.key !== '' && ref.key !== '*') return ref;
  } catch {
    // Told below.
  }
  throw refused(
    `"${text}" is not a record reference.`,
    'Use the number a person knows (INV00000417) or flow|side|key as the audit prints it.',
  );
}

/** The one record a change is to be made for; several or none are refused with what there is. */
export async function oneRecord(connector: Connector, text: string, ask: RecordAsk = {}): Promise<FoundRecord> {
  const found = await findRecords(connector, text, ask);
  const [first, ...others] = found;
  if (!first)
    throw refused(
      `No record "${text}" is known here.`,
      'Check the number; a record that never reached the connector is fetched with: replay FLOW NUMBER',
    );
  if (others.length > 0) {
    const flows = [...new Set(found.map(({ ref }) => ref.flow.slice(ref.flow.indexOf('.') + 1)))];
    throw refused(
      `"${text}" names ${found.length} records: ${found.map(({ ref, link }) => `${link.label ?? ref.key} (${ref.flow})`).join(', ')}.`,
      flows.length > 1 ? `Add the flow: --flow ${flows[0]}` : 'Give the full reference flow|side|key, as explain prints it.',
    );
  }
  return first;
}
