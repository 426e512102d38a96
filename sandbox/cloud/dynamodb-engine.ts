import { createRequire } from 'node:module';

/** An item as it travels: attribute name to `{ S: … }`. */
export type Item = Readonly<Record<string, AttributeValue>>;
type AttributeValue = Readonly<Record<string, unknown>>;

interface KeyPart {
  readonly AttributeName: string;
}

export interface TableDescription {
  readonly TableName: string;
  readonly TableStatus: string;
  readonly TableArn: string;
  readonly KeySchema: readonly KeyPart[];
  readonly AttributeDefinitions: readonly { readonly AttributeName: string; readonly AttributeType: string }[];
}

/** What dynalite reports: an Error with the body the service would answer. */
export interface EngineError {
  readonly statusCode: number;
  readonly body: { readonly __type: string; readonly message?: string; readonly Message?: string };
}

export function isEngineError(error: unknown): error is EngineError {
  return error !== null && typeof error === 'object' && 'statusCode' in error && 'body' in error;
}

type Callback<Value> = (error: unknown, value: Value) => void;

export type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: unknown }
  | { readonly type: 'del'; readonly key: string };

interface Level {
  put(key: string, value: unknown, callback: Callback<void>): void;
  del(key: string, callback: Callback<void>): void;
  get(key: string, callback: Callback<unknown>): void;
  batch(operations: readonly Operation[], callback: Callback<void>): void;
  iterator(range: { readonly gte: string; readonly lt: string }): AsyncIterable<[string, unknown]>;
  open(): Promise<void>;
}

interface Store {
  readonly db: Level;
  readonly tableDb: { awsAccountId: string; awsRegion: string };
  readonly lifecycleManager: { gracefulClose(callback: Callback<void>): void };
  getTable(name: string, checkStatus: boolean, callback: Callback<TableDescription>): void;
}

type Action = (store: Store, data: unknown, callback: Callback<Readonly<Record<string, unknown>>>) => void;

interface Validation {
  readonly types: unknown;
  readonly custom?: unknown;
}

interface Database {
  create(options: Readonly<Record<string, unknown>>): Store;
  createKey(item: Item, table: TableDescription): string;
  validateKey(key: Item, table: TableDescription): EngineError | undefined | null;
  checkConditional(data: unknown, item: Item | undefined): EngineError | undefined | null;
  validationError(message: string): EngineError;
}

interface Validations {
  checkTypes(data: unknown, types: unknown): Readonly<Record<string, unknown>>;
  checkValidations(data: unknown, types: unknown, custom: unknown, store: Store): void;
}

const require = createRequire(import.meta.url);
const database: Database = require('dynalite/db');
const validations: Validations = require('dynalite/validations');

export interface DynamoEngine {
  /** Types and rules of one operation's request; throws an EngineError. `operation` in dynalite's spelling: `putItem`. */
  parse(operation: string, input: unknown): Readonly<Record<string, unknown>>;
  /** Carries out a parsed request. Rejects with an EngineError. */
  run(operation: string, data: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>>;
  findTable(name: string): Promise<TableDescription | undefined>;
  tables(): Promise<readonly TableDescription[]>;
  itemKey(table: TableDescription, item: Item): string;
  checkKey(table: TableDescription, key: Item): EngineError | undefined;
  checkCondition(data: unknown, item: Item | undefined): EngineError | undefined;
  get(key: string): Promise<unknown>;
  /** Everything under a prefix, in order. */
  entries(prefix: string): AsyncIterable<[string, unknown]>;
  /** Keeps what `work` writes in memory; `commit` stores it in one piece. Only one caller at a time. */
  collect<Value>(work: () => Promise<Value>): Promise<{ readonly value: Value; readonly operations: readonly Operation[] }>;
  commit(operations: readonly Operation[]): Promise<void>;
  close(): Promise<void>;
}

export const validationError = (message: string): EngineError => database.validationError(message);

/**
 * dynalite's storage, expressions and validation without its HTTP server. Its writes of one request (item and index entries) are gathered and
 * stored as one batch of LevelDB, so that a killed process leaves either all of them or none.
 */
export async function openDynamoEngine(options: {
  readonly folder: string | undefined;
  readonly accountId: string;
  readonly region: string;
}): Promise<DynamoEngine> {
  const store = database.create({
    createTableMs: 0,
    deleteTableMs: 0,
    updateTableMs: 0,
    ...(options.folder === undefined ? {} : { path: options.folder }),
  });
  store.tableDb.awsAccountId = options.accountId;
  store.tableDb.awsRegion = options.region;
  await store.db.open();

  let collecting: Operation[] | undefined;
  const { put, del } = { put: store.db.put.bind(store.db), del: store.db.del.bind(store.db) };
  // Table descriptions are written by dynalite's own timers, outside of any request of ours: they are never gathered.
  store.db.put = (key, value, callback) => {
    if (collecting === undefined || key.startsWith('table~')) return put(key, value, callback);
    collecting.push({ type: 'put', key, value });
    setImmediate(callback, null);
  };
  store.db.del = (key, callback) => {
    if (collecting === undefined || key.startsWith('table~')) return del(key, callback);
    collecting.push({ type: 'del', key });
    setImmediate(callback, null);
  };

  const called = <Value>(start: (callback: Callback<Value>) => void): Promise<Value> =>
    new Promise((resolve, reject) => start((error, value) => (error ? reject(error) : resolve(value))));
  const specification = (operation: string): Validation => require(`dynalite/validations/${operation}`);
  const entries = (prefix: string) => store.db.iterator({ gte: prefix, lt: `${prefix}\uffff` });

  const engine: DynamoEngine = {
    parse(operation, input) {
      const { types, custom } = specification(operation);
      const data = validations.checkTypes(structuredClone(input), types);
      validations.checkValidations(data, types, custom, store);
      return data;
    },
    run(operation, data) {
      const action: Action = require(`dynalite/actions/${operation}`);
      return called((callback) => action(store, data, callback));
    },
    async findTable(name) {
      try {
        return await called<TableDescription>((callback) => store.getTable(name, true, callback));
      } catch (error) {
        if (isEngineError(error)) return undefined;
        throw error;
      }
    },
    async tables() {
      const found: TableDescription[] = [];
      for await (const [, table] of entries('table~')) found.push(table as TableDescription);
      return found;
    },
    itemKey: (table, item) => `item-${table.TableName}~${database.createKey(item, table)}`,
    checkKey: (table, key) => database.validateKey(key, table) ?? undefined,
    checkCondition: (data, item) => database.checkConditional(data, item) ?? undefined,
    async get(key) {
      try {
        return await called((callback) => store.db.get(key, callback));
      } catch (error) {
        if (error instanceof Error && /not ?found/i.test(`${error.name} ${error.message}`)) return undefined;
        throw error;
      }
    },
    entries,
    async collect(work) {
      const operations: Operation[] = [];
      collecting = operations;
      try {
        return { value: await work(), operations };
      } finally {
        collecting = undefined;
      }
    },
    commit: (operations) => (operations.length === 0 ? Promise.resolve() : called((callback) => store.db.batch([...operations], callback))),
    close: () => called((callback) => store.lifecycleManager.gracefulClose(callback)),
  };
  await finishInterruptedTables(engine, (key, value) => called((callback) => put(key, value, callback)));
  return engine;
}

/** A process that was killed between the two writes of CreateTable left a table that never becomes active. */
async function finishInterruptedTables(engine: DynamoEngine, put: (key: string, value: unknown) => Promise<void>): Promise<void> {
  for (const table of await engine.tables()) {
    if (table.TableStatus !== 'ACTIVE') await put(`table~${table.TableName}`, withActive(table));
  }
}

function withActive(table: TableDescription): unknown {
  const indexes =
    'GlobalSecondaryIndexes' in table && Array.isArray(table.GlobalSecondaryIndexes) ? table.GlobalSecondaryIndexes : undefined;
  return {
    ...table,
    TableStatus: 'ACTIVE',
    ...(indexes === undefined ? {} : { GlobalSecondaryIndexes: indexes.map((index: object) => ({ ...index, IndexStatus: 'ACTIVE' })) }),
  };
}
