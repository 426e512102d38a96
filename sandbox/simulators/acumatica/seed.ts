import * as z from 'zod';
import { ControlError } from '../kit.ts';
import type { Company } from './company.ts';
import { saveCustomer } from './customers.ts';
import { documentType, invoiceTypes } from './document-types.ts';
import { saveInvoice } from './invoices.ts';
import type { Numbering } from './options.ts';
import { savePayment } from './payments.ts';
import { plainInput } from './plain-input.ts';
import { RecordRefused, Refusal } from './refusals.ts';
import { releaseInvoice, releasePayment } from './release.ts';
import { type Document, type Row, text } from './rows.ts';
import { seedSetup } from './seed-setup.ts';
import { Seed, type SeededCustomer, type SeededDocument } from './seed-shapes.ts';
import type { Sessions } from './sessions.ts';

/** Merges records into the company: setup by its keys, customers and opening documents as new ones. */
export function seed(company: Company, sessions: Sessions, records: unknown): void {
  const parsed = Seed.safeParse(records);
  if (!parsed.success) throw new ControlError(`the seed is not understood: ${z.prettifyError(parsed.error)}`);
  const given = parsed.data;
  seedSetup(company, given);
  for (const client of given.clients ?? [])
    sessions.state.clients = [...sessions.state.clients.filter((other) => other.clientId !== client.clientId), client];
  for (const user of given.users ?? []) sessions.state.users = [...sessions.state.users.filter((other) => other.name !== user.name), user];
  permissive(company, () => {
    for (const customer of given.customers ?? []) seedCustomer(company, customer);
    for (const document of given.documents ?? []) seedDocument(company, document);
  });
}

/** Opening records are entered as by a supervisor on a quiet day: no holds, no approvals, closed periods open. */
function permissive(company: Company, work: () => void): void {
  const { preferences, manual } = company.state;
  company.state.preferences = {
    ...preferences,
    holdEntry: false,
    requireControlTotal: false,
    requireExtRef: false,
    approvals: [],
    printBeforeRelease: false,
    emailBeforeRelease: false,
    financialSupervisor: true,
  };
  try {
    work();
  } catch (error) {
    throw explained(error);
  } finally {
    company.state.preferences = preferences;
    company.state.manual = manual;
  }
}

/** A refusal of a form, said to whoever seeds or acts. */
export function explained(error: unknown): unknown {
  if (error instanceof RecordRefused) return new ControlError(error.problems.sentence());
  if (error instanceof Refusal) return new ControlError(JSON.stringify(error.body));
  return error;
}

const context = (company: Company) => ({ businessDate: company.today(), branch: company.defaultBranch() });

function withNumber(company: Company, names: readonly (keyof Numbering)[], given: string | undefined): void {
  const automatic = company.state.manual.filter((name) => !names.some((other) => other === name));
  company.state.manual = given === undefined ? automatic : [...automatic, ...names];
}

function seedCustomer(company: Company, given: SeededCustomer): void {
  withNumber(company, ['Customer'], given.id);
  saveCustomer(
    company,
    given.id === undefined ? undefined : company.customers.get(given.id),
    plainInput('Customer', customerFields(given)),
    context(company),
  );
}

export function customerFields(given: Partial<SeededCustomer>): Record<string, unknown> {
  return {
    CustomerID: given.id,
    CustomerClass: given.class,
    CustomerName: given.name,
    AccountRef: given.accountRef,
    CurrencyID: given.currency,
    EnableCurrencyOverride: given.currencyOverride,
    Terms: given.terms,
    Status: given.status,
    TaxZone: given.taxZone,
    TaxRegistrationID: given.taxId,
    AutoApplyPayments: given.autoApplyPayments,
    CreditLimit: given.creditLimit,
    ParentRecord: given.parent,
    MainContact: {
      Email: given.email,
      Attention: given.attention,
      Phone1: given.phone,
      Address: {
        AddressLine1: given.line1,
        AddressLine2: given.line2,
        City: given.city,
        Country: given.country,
        State: given.state,
        PostalCode: given.postal,
      },
    },
  };
}

/** Enters a document and, unless told otherwise, releases it. */
export function seedDocument(company: Company, given: SeededDocument): Document {
  const type = documentType(given.type);
  if (!type) throw new ControlError(`unknown document type ${given.type}`);
  const customer = company.customers.get(given.customer) ?? company.customers.withText('AccountRef', given.customer)[0];
  if (!customer) throw new ControlError(`no customer ${given.customer}`);
  const isInvoice = invoiceTypes.includes(type);
  withNumber(company, isInvoice ? ['Invoice', 'Debit Memo', 'Credit Memo'] : ['Payment'], given.ref);
  const common = {
    Type: type,
    ReferenceNbr: given.ref,
    Description: given.description,
    Hold: given.hold,
  };
  if (isInvoice) {
    const lines = given.lines ?? [{ account: salesAccount(company, customer), amount: given.amount ?? '0' }];
    const plain = {
      ...common,
      Customer: text(customer, 'CustomerID'),
      CustomerOrder: given.reference,
      Date: given.date,
      Terms: given.terms,
      DueDate: given.dueDate,
      ...(given.currency ? { custom: { 'Document.CuryID': given.currency } } : {}),
      Details: lines.map((line) => ({
        Account: line.account,
        Subaccount: 'subaccount' in line ? line.subaccount : undefined,
        TransactionDescription: 'text' in line ? line.text : undefined,
        Qty: ('qty' in line ? line.qty : undefined) ?? '1',
        UnitPrice: 'price' in line ? line.price : undefined,
        ExtendedPrice: line.amount,
        TaxCategory: 'taxCategory' in line ? line.taxCategory : undefined,
      })),
    };
    const document = saveInvoice(company, undefined, plainInput('Invoice', plain), context(company));
    if (given.released && !given.hold) releaseInvoice(company, document);
    return document;
  }
  const plain = {
    ...common,
    CustomerID: text(customer, 'CustomerID'),
    PaymentMethod: given.paymentMethod ?? firstMethod(company),
    CashAccount: given.cashAccount,
    ApplicationDate: given.date,
    PaymentRef: given.reference,
    PaymentAmount: given.amount ?? '0',
    DocumentsToApply: (given.applications ?? []).map((row) => ({
      DocType: row.type,
      ReferenceNbr: row.ref,
      AmountPaid: row.amount,
      CashDiscountTaken: '0',
    })),
  };
  const document = savePayment(company, undefined, plainInput('Payment', plain), context(company));
  if (given.released && !given.hold) releasePayment(company, document);
  return document;
}

function salesAccount(company: Company, customer: Row): string {
  const customerClass = company.find('CustomerClass', text(customer, 'CustomerClass'));
  return (customerClass && text(customerClass, 'SalesAccount')) || company.state.accounts.sales;
}

/** A method whose payments can be released without a card terminal. */
function firstMethod(company: Company): string {
  const plain = company.references.PaymentMethod.all().find((method) => method.fields['IntegratedProcessing'] !== true);
  return plain ? text(plain, 'PaymentMethodID') : '';
}
