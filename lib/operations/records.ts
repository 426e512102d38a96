import type { Connector } from '../connector.ts';
import type { Link } from '../contracts/link.ts';
import { parseRef, type RecordRef, refText } from '../values/record-ref.ts';
import { integrationsOf, refused } from './operation.ts';

/** A record as a person named it, found: its reference and what the connector remembers of it. */
export interface FoundRecord {
  readonly ref: RecordRef;
  readonly link: Link;
}

/**
 * Finds what a person means by `INV00000417`, `KR-10023`, `Invoice/AR000012`, a vendor id, or a full reference: by reference, by key on either side,
 * by label. Several flows may know the same text (a payment and its applications): all are answered.
 */
export async function findRecords(connector: Connector, text: string, integration?: string): Promise<readonly FoundRecord[]> {
  const wanted = text.trim();
  if (wanted === '') throw refused('No record was named.', 'Name one: explain INV00000417');
  const found = new Map<string, FoundRecord>();
  const keep = (link: Link): void => void found.set(refText(link.origin), { ref: link.origin, link });
  if (wanted.includes('|')) {
    const link = (await connector.ports.links.findMany([readRef(wanted)])).get(wanted);
    if (link) keep(link);
    return [...found.values()];
  }
  for (const running of integrationsOf(connector, integration)) {
    const refs = running.definition.flows.flatMap((flow) =>
      (['a', 'b'] as const).map((side) => ({ flow: `${running.name}.${flow.id}`, side, key: wanted })),
    );
    for (const link of (await connector.ports.links.findMany(refs)).values()) keep(link);
    for (const link of await connector.ports.links.findByLabel(running.name, wanted)) keep(link);
  }
  return [...found.values()];
}

function readRef(text: string): RecordRef {
  try {
    return parseRef(text);
  } catch {
    throw refused(
      `"${text}" is not a record reference.`,
      'Use the number a person knows (INV00000417) or flow|side|key as the audit prints it.',
    );
  }
}

/** The one record a change is to be made for; several or none are refused with what there is. */
export async function oneRecord(
  connector: Connector,
  text: string,
  options: { readonly integration?: string; readonly flow?: string } = {},
): Promise<FoundRecord> {
  const found = (await findRecords(connector, text, options.integration)).filter(
    ({ ref }) => options.flow === undefined || ref.flow === options.flow || ref.flow.endsWith(`.${options.flow}`),
  );
  const [first, ...others] = found;
  if (!first)
    throw refused(
      `No record "${text}" is known here.`,
      'Check the number; a record that never reached the connector can be fetched with: poll, or replay with its full reference flow|side|key.',
    );
  if (others.length > 0) {
    throw refused(
      `"${text}" names ${found.length} records: ${found.map(({ ref }) => ref.flow).join(', ')}.`,
      'Add the flow: --flow invoices',
    );
  }
  return first;
}
