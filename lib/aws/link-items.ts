import type { Link } from '../contracts/link.ts';
import { integrationOf, type RecordRef } from '../values/record-ref.ts';
import { checkSize, type Item } from './dynamo.ts';
import { tables } from './tables.ts';

/*
 * An item of the links table is a link (`body`, `state`, `fence`, and while leased `leaseOwner`, `leaseUntil`, `leaseId`) or a pointer (`to`: the
 * sort key of the link's origin). `pointers` names the sort keys that point to a link, for its removal.
 */

/** The attributes by which links are found in the indexes. Each is set or removed with every write of the body. */
const indexed = ['attention', 'attentionPlace', 'labelOf', 'labelText'] as const;
type Indexed = Partial<Record<(typeof indexed)[number], string>>;

/** Sort keys hold at most 1,024 bytes. */
const longestPlaceBytes = 900;
/** Leaves room for the record behind it. */
const longestAboutBytes = 450;

export function recordPlace(ref: RecordRef): string {
  return `${ref.side}|${ref.key}`;
}

export function keyOf(flow: string, place: string): Record<string, string> {
  return { [tables.links.partitionKey]: flow, [tables.links.sortKey]: place };
}

export const itemKeyOf = (ref: RecordRef): Record<string, string> => keyOf(ref.flow, recordPlace(ref));

export function readLink(item: Item): Link | undefined {
  return typeof item['body'] === 'string' ? (JSON.parse(item['body']) as Link) : undefined;
}

/** Sort keys of the link's keys other than the one it is kept under. */
export function pointerPlaces(link: Link): readonly string[] {
  const { flow } = link.origin;
  const { a, b } = link.keys;
  const places = [
    ...(a === undefined ? [] : [recordPlace({ flow, side: 'a', key: a })]),
    ...(b === undefined ? [] : [recordPlace({ flow, side: 'b', key: b })]),
  ];
  return places.filter((place) => place !== recordPlace(link.origin));
}

/** Beginning of `attentionPlace` for what a link is held or waits for. The tab orders before every letter of a longer cause. */
export function troublePlace(about: string): string {
  return `${cut(about, longestAboutBytes)}\t`;
}

function indexedOf(link: Link): Indexed {
  const integration = integrationOf(link.origin.flow);
  const about = link.trouble?.dependency ?? link.trouble?.cause ?? '';
  const needsAttention = link.state === 'held' || link.state === 'waiting' || link.state === 'working';
  return {
    ...(needsAttention
      ? {
          attention: `${integration}|${link.state}`,
          attentionPlace: cut(`${troublePlace(about)}${link.origin.flow}|${recordPlace(link.origin)}`),
        }
      : {}),
    ...(link.label === undefined || link.label === '' ? {} : { labelOf: integration, labelText: cut(link.label.toLowerCase()) }),
  };
}

/** Whole characters, no more bytes than a sort key takes. */
function cut(text: string, longestBytes = longestPlaceBytes): string {
  if (Buffer.byteLength(text) <= longestBytes) return text;
  const kept = Buffer.from(text).subarray(0, longestBytes).toString('utf8');
  return kept.replace(/\uFFFD+$/, '');
}

/** The part of an update expression that stores the link whole. */
export function writeLink(link: Link): {
  readonly set: readonly string[];
  readonly remove: readonly string[];
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, unknown>>;
} {
  const body = JSON.stringify(link);
  checkSize(body, `Remembering ${link.label ?? link.origin.key}`);
  const places = indexedOf(link);
  return {
    set: ['body = :body', '#state = :state', ...indexed.filter((name) => places[name] !== undefined).map((name) => `${name} = :${name}`)],
    remove: indexed.filter((name) => places[name] === undefined),
    names: { '#state': 'state' },
    values: {
      ':body': body,
      ':state': link.state,
      ...Object.fromEntries(indexed.filter((name) => places[name] !== undefined).map((name) => [`:${name}`, places[name]])),
    },
  };
}

/** Items by their whole key, as `refText` of the record they are kept under. */
export function byPlace(items: readonly Item[]): ReadonlyMap<string, Item> {
  return new Map(items.map((item) => [`${item[tables.links.partitionKey]}|${item[tables.links.sortKey]}`, item]));
}
