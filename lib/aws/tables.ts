/** A table as both sides need it: the infrastructure creates it, the stores use it. All keys are texts. */
export interface TableDefinition {
  readonly partitionKey: string;
  readonly sortKey: string;
  /** Attribute with the second of the epoch after which the item may be swept. */
  readonly timeToLive?: string;
  readonly indexes: readonly IndexDefinition[];
}

export interface IndexDefinition {
  readonly name: string;
  readonly partitionKey: string;
  readonly sortKey: string;
  readonly projection: 'ALL' | 'KEYS_ONLY';
}

/**
 * Links and pointers to them, by flow and by `<side>|<key>`. Both indexes are sparse and hold keys only: what they find is read from the table,
 * so that a link that changed since is never shown as it was, and an ordinary write of a settled link costs no index write.
 */
const links = {
  partitionKey: 'flow',
  sortKey: 'record',
  indexes: [
    /** `<integration>|held`, `…|waiting`, `…|working`; then `<cause or dependency>`, a tab and the record. */
    { name: 'attention', partitionKey: 'attention', sortKey: 'attentionPlace', projection: 'KEYS_ONLY' },
    /** `<integration>`; then the label in small letters. */
    { name: 'labels', partitionKey: 'labelOf', sortKey: 'labelText', projection: 'KEYS_ONLY' },
  ],
} as const satisfies TableDefinition;

/** Audit entries by record and `<at>|<id>`; by day for everything else. Also, per integration, the days that have entries. */
const audit = {
  partitionKey: 'record',
  sortKey: 'place',
  timeToLive: 'ttl',
  indexes: [{ name: 'byDay', partitionKey: 'day', sortKey: 'place', projection: 'ALL' }],
} as const satisfies TableDefinition;

/** Small shared state by partition and name. */
const state = { partitionKey: 'partition', sortKey: 'name', timeToLive: 'ttl', indexes: [] } as const satisfies TableDefinition;

/** The three tables of a deployment, as data: no SDK here, so that synthesis may import it. */
export const tables = { links, audit, state } as const;
