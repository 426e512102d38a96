import type { Io } from '../../contracts/io.ts';
import type { Connection } from '../../contracts/vendor.ts';
import { Failure } from '../../failures.ts';
import { createActions } from './actions.ts';
import { grantNote, grantNoteSchema } from './auth.ts';
import { checkConnection } from './check.ts';
import type { ActionEntity } from './entities.ts';
import type { Exchange } from './exchange.ts';
import { conditionFailed, noEntity, notFound } from './failures.ts';
import { and, eq, type Filter, type FilterField, or } from './filter.ts';
import { createReads } from './reads.ts';
import { createSession, jsonOf, queryText, type Session } from './session.ts';
import type { AcumaticaSettings } from './settings.ts';
import { parseInquiryRow, parseRow } from './shapes.ts';
import type { AcumaticaClient, GrantLife, PutOptions } from './surface.ts';
import type { Entity, RowOf } from './wire.ts';
import type { FinancialPeriodRow, Inquiry, InquiryRow } from './wire-reference.ts';
import { type WritableRecord, wrap } from './wrapping.ts';

export type * from './surface.ts';

/** What one look-up carries: enough to be few, small enough for every proxy on the way. */
const valuesPerCall = 20;
const queryCharacters = 1_800;

const statusFields: Readonly<Record<ActionEntity, readonly string[]>> = {
  Invoice: [
    'Type',
    'ReferenceNbr',
    'Status',
    'Customer',
    'CustomerOrder',
    'Amount',
    'Balance',
    'Date',
    'Description',
    'LastModifiedDateTime',
  ],
  Payment: [
    'Type',
    'ReferenceNbr',
    'Status',
    'CustomerID',
    'PaymentRef',
    'PaymentAmount',
    'CurrencyID',
    'ApplicationDate',
    'Description',
    'AvailableBalance',
    'LastModifiedDateTime',
  ],
  JournalTransaction: [
    'Module',
    'BatchNbr',
    'Status',
    'Description',
    'TransactionDate',
    'PostPeriod',
    'CurrencyID',
    'LedgerID',
    'LastModifiedDateTime',
  ],
};

export function openAcumatica(connection: Connection<AcumaticaSettings>, io: Io): AcumaticaClient {
  const session = createSession(connection, io);
  const actions = createActions(session, io);
  const reads = createReads(session, actions);

  const send = (exchange: Exchange) =>
    session.inLane(async () => {
      await actions.refuseClosed(exchange.entity);
      return (await session.exchange(exchange)).answer;
    });

  async function put<E extends Entity>(
    entity: E,
    record: WritableRecord,
    options: PutOptions & { readonly ifMatch?: boolean; readonly ifNoneMatch?: boolean } = {},
  ): Promise<RowOf<E> | 'condition-failed'> {
    const conditional = options.ifMatch || options.ifNoneMatch;
    const exchange: Exchange = {
      operation: `PUT /${entity}`,
      method: 'PUT',
      path: `/${entity}`,
      query: { $expand: options.expand?.join(','), $custom: options.custom?.join(',') },
      ...(conditional ? { headers: options.ifMatch ? { 'if-match': '*' } : { 'if-none-match': '*' } } : {}),
      body: wrap(record),
      what: `write ${entity}`,
      effect: 'write',
      entity,
    };
    try {
      return parseRow(entity, jsonOf(await send(exchange), exchange), exchange.what);
    } catch (error) {
      if (conditional && error instanceof Failure && error.record.code === conditionFailed) return 'condition-failed';
      throw error;
    }
  }

  async function remove(entity: Entity, keys: readonly string[]): Promise<'removed' | 'missing'> {
    const path = await reads.findPath(entity, keys);
    if (path === undefined) return 'missing';
    try {
      await send({
        operation: `DELETE /${entity}/{key}`,
        method: 'DELETE',
        path,
        what: `delete ${entity} ${keys.join(' ')}`,
        effect: 'write',
        entity,
      });
      return 'removed';
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.record.code === noEntity) return 'missing';
      // Which of the two a missing record is answered with is not documented: looking tells.
      if (error.record.code === notFound && (await reads.findByKey(entity, keys)) === undefined) return 'missing';
      throw error;
    }
  }

  async function inquire<I extends Inquiry>(inquiry: I, fields: WritableRecord): Promise<readonly InquiryRow<I>[]> {
    const exchange: Exchange = {
      operation: `PUT /${inquiry}`,
      method: 'PUT',
      path: `/${inquiry}`,
      query: { $expand: 'Results' },
      body: wrap(fields),
      what: `ask ${inquiry}`,
      // An inquiry is sent with PUT and changes nothing.
      effect: 'read',
      entity: inquiry,
    };
    const body = jsonOf(await send(exchange), exchange);
    const results = body !== null && typeof body === 'object' && 'Results' in body ? body.Results : undefined;
    if (!Array.isArray(results)) throw new Failure('ShapeUnexpected', { sentence: `Acumatica answered ${inquiry} without Results.` });
    return results.map((row: unknown) => parseInquiryRow(inquiry, row, exchange.what));
  }

  /** Documents whose `name` is one of the values, within what `within` fixes, in the fewest calls. */
  async function fetchAny<E extends ActionEntity>(
    entity: E,
    within: Filter<E>,
    name: FilterField<E>,
    values: readonly string[],
    select: readonly string[] | undefined,
  ): Promise<readonly RowOf<E>[]> {
    const rows: RowOf<E>[] = [];
    const filterOf = ([first, ...rest]: readonly [string, ...string[]]): Filter<E> => {
      const one = (value: string) => eq(entity, name, value as never) as Filter<E>;
      return and(within, or(one(first), ...rest.map(one)));
    };
    const fits = (chunk: readonly [string, ...string[]]) =>
      chunk.length <= valuesPerCall && queryText({ $filter: filterOf(chunk).text, $select: select?.join(',') }).length <= queryCharacters;
    for (const chunk of chunked([...new Set(values)], fits))
      rows.push(...(await reads.fetchAll(entity, filterOf(chunk), select === undefined ? {} : { select })));
    return rows;
  }

  async function listPeriods(company: string | undefined, year: string): Promise<readonly FinancialPeriodRow[]> {
    const options = { expand: ['Details'] };
    if (company !== undefined) {
      try {
        const own = await reads.findByKey('CompanyFinancialPeriod', [company, year], options);
        if (own?.Details && own.Details.length > 0) return own.Details;
      } catch (error) {
        // Tenants without calendars of their own, or without access to them, have the master calendar.
        if (!(error instanceof Failure && (error.kind === 'PermissionMissing' || error.kind === 'FeatureOff'))) throw error;
      }
    }
    return (await reads.findByKey('FinancialPeriod', [year], options))?.Details ?? [];
  }

  const client: Omit<AcumaticaClient, 'check'> = {
    findByKey: reads.findByKey,
    list: reads.list,
    put: put as AcumaticaClient['put'],
    remove,
    act: actions.act,
    inquire,
    findMany: (entity, markerField, values, type, options = {}) =>
      fetchAny(
        entity,
        typeFilter(entity, type),
        markerField as never,
        values,
        options.select === undefined ? undefined : [...new Set([...options.select, markerField])],
      ),
    readStatus: (entity, type, referenceNbrs) =>
      fetchAny(
        entity,
        typeFilter(entity, type),
        (entity === 'JournalTransaction' ? 'BatchNbr' : 'ReferenceNbr') as never,
        referenceNbrs,
        statusFields[entity],
      ),
    discover: () => session.inLane(() => session.discovery.inLane()),
    listPeriods,
    listBranches: async () => (await inquire('CompaniesStructure', {})).filter((row) => row.BranchID !== undefined),
    fetchGrantLife: () => session.inLane(() => grantLife(session, io)),
  };
  return { ...client, check: () => checkConnection(client, session, io) };
}

async function grantLife(session: Session, io: Io): Promise<GrantLife> {
  await session.currentToken();
  const note = grantNoteSchema.safeParse(await io.notes.get(grantNote));
  if (!note.success) return { hasRefreshToken: session.settings.grant === 'authorization-code' };
  const { hasRefreshToken, endsAt } = note.data;
  return { hasRefreshToken, ...(endsAt === undefined ? {} : { endsAt: new Date(endsAt) }) };
}

function typeFilter<E extends ActionEntity>(entity: E, type: string): Filter<E> {
  return eq(entity, (entity === 'JournalTransaction' ? 'Module' : 'Type') as never, type as never) as Filter<E>;
}

function* chunked(
  values: readonly string[],
  fits: (chunk: readonly [string, ...string[]]) => boolean,
): Generator<readonly [string, ...string[]]> {
  let chunk: readonly [string, ...string[]] | undefined;
  for (const value of values) {
    const longer: readonly [string, ...string[]] = chunk ? [...chunk, value] : [value];
    if (chunk && !fits(longer)) {
      yield chunk;
      chunk = [value];
    } else {
      chunk = longer;
    }
  }
  if (chunk) yield chunk;
}
