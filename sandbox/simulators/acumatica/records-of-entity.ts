import type { RequestContext } from './assign.ts';
import { type Company, type ReferenceEntity, referenceKeys } from './company.ts';
import type { Entity } from './contract.ts';
import { saveCustomer } from './customers.ts';
import { documentKey, documentType } from './document-types.ts';
import { predicateOf, select } from './filter-evaluation.ts';
import { financialYears } from './inquiries.ts';
import { saveInvoice } from './invoices.ts';
import { saveJournal } from './journals.ts';
import { savePayment } from './payments.ts';
import type { Query } from './query.ts';
import { businessError, httpError, type Refusal } from './refusals.ts';
import { type Document, type Row, text } from './rows.ts';
import type { Store } from './store.ts';
import type { Input } from './wire-read.ts';

/** What the endpoint can do with the records of one entity. */
export interface RecordsOfEntity {
  list(query: Query): readonly Row[];
  byId(id: string): Row | undefined;
  /** Keys in form order, as the path gives them. */
  byKeys(keys: readonly string[]): Row | undefined;
  /** The record the key fields of a body name; undefined when they name none, or not all of them are there. */
  named(input: Input): Row | undefined;
  save?(existing: Row | undefined, input: Input, context: RequestContext): Row;
  remove?(row: Row): void;
}

export function recordsOf(company: Company, entity: Entity): RecordsOfEntity {
  switch (entity.name) {
    case 'Customer':
      return customers(company);
    case 'Invoice':
      return documents({
        store: company.invoices,
        keys: ['Type', 'ReferenceNbr'],
        key: ([type = '', reference = '']) => documentKey(documentType(type) ?? type, reference),
        defaultFirst: 'Invoice',
        save: (existing, input, context) => saveInvoice(company, existing, input, context),
      });
    case 'Payment':
      return documents({
        store: company.payments,
        keys: ['Type', 'ReferenceNbr'],
        key: ([type = '', reference = '']) => documentKey(documentType(type) ?? type, reference),
        defaultFirst: 'Payment',
        save: (existing, input, context) => savePayment(company, existing, input, context),
      });
    case 'JournalTransaction':
      return documents({
        store: company.batches,
        keys: ['Module', 'BatchNbr'],
        key: ([module = '', number = '']) => `${module}|${number}`,
        defaultFirst: 'GL',
        save: (existing, input, context) => saveJournal(company, existing, input, context),
      });
    case 'FinancialPeriod':
    case 'CompanyFinancialPeriod':
      return years(company, entity.name);
    default:
      return reference(company, entity.name as ReferenceEntity);
  }
}

/** What was written in a key field, without the placeholder of a new record. */
function keyText(input: Input, field: string): string {
  const value = input.fields.get(field);
  const written = value === undefined || value === null ? '' : String(value).trim();
  return written === '<NEW>' ? '' : written;
}

function customers(company: Company): RecordsOfEntity {
  return {
    list: (query) => select(company.customers, query.filter),
    byId: (id) => company.customers.byId(id),
    byKeys: ([id]) => (id === undefined ? undefined : company.customers.get(id)),
    named: (input) => company.customers.get(keyText(input, 'CustomerID')),
    save: (existing, input, context) => saveCustomer(company, existing, input, context),
    remove(row) {
      const id = text(row, 'CustomerID');
      if (company.invoices.withText('Customer', id).length > 0 || company.payments.withText('CustomerID', id).length > 0)
        throw cannotDelete(`The customer ${id} cannot be deleted because it has documents.`);
      company.customers.delete(row);
    },
  };
}

function documents(of: {
  readonly store: Store<Document>;
  readonly keys: readonly [string, string];
  readonly key: (keys: readonly string[]) => string;
  readonly defaultFirst: string;
  readonly save: (existing: Document | undefined, input: Input, context: RequestContext) => Document;
}): RecordsOfEntity {
  const saved = (document: Document | undefined) => (document?.unsaved ? undefined : document);
  return {
    list: (query) => select(of.store, query.filter).filter((document) => !document.unsaved),
    byId: (id) => saved(of.store.byId(id)),
    byKeys: (keys) => (keys.length === 2 ? saved(of.store.get(of.key(keys))) : undefined),
    named(input) {
      const number = keyText(input, of.keys[1]);
      if (number === '') return undefined;
      return of.store.get(of.key([keyText(input, of.keys[0]) || of.defaultFirst, number]));
    },
    save: (existing, input, context) => of.save(existing as Document | undefined, input, context),
    remove(row) {
      const document = row as Document;
      if (document.released) throw cannotDelete('The document has been released and cannot be deleted.');
      of.store.delete(document);
    },
  };
}

function cannotDelete(message: string): Refusal {
  return httpError(422, 'PX.Data.PXException', `Error: ${message}`);
}

function years(company: Company, name: 'FinancialPeriod' | 'CompanyFinancialPeriod'): RecordsOfEntity {
  const all = () => financialYears(company, name);
  return {
    list: (query) => (query.filter ? all().filter(predicateOf(query.filter)) : all()),
    byId: (id) => all().find((row) => row.id === id),
    byKeys: (keys) =>
      all().find((row) =>
        name === 'FinancialPeriod'
          ? keys.length === 1 && text(row, 'FinancialYear') === keys[0]
          : keys.length === 2 && text(row, 'Company').toUpperCase() === keys[0]?.toUpperCase() && text(row, 'FinancialYear') === keys[1],
      ),
    named: () => undefined,
  };
}

/** Reference data: the API user may look at these forms, not change them. */
function reference(company: Company, name: ReferenceEntity): RecordsOfEntity {
  const store = company.references[name];
  if (!store) throw businessError(`The ${name} form has no records.`);
  return {
    list: (query) => select(store, query.filter),
    byId: (id) => store.byId(id),
    byKeys: ([key]) => (key === undefined ? undefined : store.get(key)),
    named: (input) => store.get(keyText(input, referenceKeys[name])),
  };
}
