import { isZero } from '../../../lib/values/decimal.ts';
import { assign, assignCustom, checkSelector, type RequestContext } from './assign.ts';
import type { Company } from './company.ts';
import { entityOf } from './contract.ts';
import { cannotBeEmpty, cannotBeFound, Problems, RecordRefused } from './refusals.ts';
import { amount, type Document, draftOf, flag, type Row, text } from './rows.ts';
import type { Input } from './wire-read.ts';

const statuses = ['Active', 'On Hold', 'Credit Hold', 'Inactive', 'One-Time'];
const statusCodes: Readonly<Record<string, string>> = { A: 'Active', H: 'On Hold', C: 'Credit Hold', I: 'Inactive', T: 'One-Time' };

/** What a customer class gives a customer; choosing another class gives it again. */
const classDefaults: Readonly<Record<string, string>> = {
  Terms: 'Terms',
  CurrencyID: 'CurrencyID',
  StatementCycleID: 'StatementCycleID',
  TaxZone: 'TaxZoneID',
};

const writable = [
  'AccountRef',
  'CustomerName',
  'Terms',
  'CurrencyID',
  'CurrencyRateType',
  'EnableCurrencyOverride',
  'EnableRateOverride',
  'EnableWriteOffs',
  'WriteOffLimit',
  'StatementCycleID',
  'StatementType',
  'TaxZone',
  'TaxRegistrationID',
  'AutoApplyPayments',
  'ApplyOverdueCharges',
  'PrintInvoices',
  'SendInvoicesbyEmail',
  'PrintStatements',
  'SendStatementsbyEmail',
  'MultiCurrencyStatements',
  'CreditLimit',
  'ParentRecord',
  'Status',
  'BillingContactOverride',
  'BillingAddressOverride',
  'ShippingContactOverride',
  'ShippingAddressOverride',
  'LocationName',
  'PriceClassID',
  'CustomerCategory',
];

const contactFields = [...entityOf('Contact').scalars.keys()].filter((field) => field !== 'ContactID');
const addressFields = [...entityOf('Address').scalars.keys()].filter((field) => field !== 'Validated');
/** Three members of the main contact that are one column. */
const nameAliases = ['DisplayName', 'CompanyName', 'FullName'];

const statesOf: Readonly<Record<string, string>> = {
  US: 'AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY PR',
  CA: 'AB BC MB NB NL NS NT NU ON PE QC SK YT',
  AU: 'ACT NSW NT QLD SA TAS VIC WA',
  MX: 'AGU BCN BCS CAM CHP CHH CMX COA COL DUR GUA GRO HID JAL MEX MIC MOR NAY NLE OAX PUE QUE ROO SLP SIN SON TAB TAM TLA VER YUC ZAC',
  BR: 'AC AL AP AM BA CE DF ES GO MA MT MS MG PA PB PR PE PI RJ RN RS RO RR SC SP SE TO',
  IN: 'AN AP AR AS BR CH CT DN DD DL GA GJ HR HP JK JH KA KL LD MP MH MN ML MZ NL OR PY PB RJ SK TN TG TR UP UT WB LA',
};

/** Saves the customer form: inserts, or updates `existing`. */
export function saveCustomer(company: Company, existing: Row | undefined, input: Input, _context: RequestContext): Row {
  const problems = new Problems();
  const draft = existing ? draftOf(existing) : newCustomer(company, input);
  const former = existing ? draftOf(existing) : undefined;
  const target = { row: draft, problems };
  chooseClass(company, target, input, former);
  assign(company, 'Customer', target, input, writable);
  assignCustom('Customer', draft, input);
  if (input.note !== undefined) draft.note = input.note;
  checkCustomer(company, target, former);
  contactsOf(company, target, input);
  if (!existing) numberCustomer(company, target);
  draft.fields['LastModifiedDateTime'] = company.now();
  if (problems.any) throw new RecordRefused(draft, problems, !existing);
  if (!existing) {
    draft.fields['BAccountID'] = company.state.nextAccountId;
    company.state.nextAccountId += 1;
    if (!company.isManual('Customer'))
      draft.fields['CustomerID'] = company.nextNumber('Customer', (number) => company.customers.get(number) !== undefined);
  }
  company.customers.put(draft);
  return draft;
}

function newCustomer(company: Company, input: Input): Row {
  const id = company.newId();
  const key = company.isManual('Customer') ? String(input.fields.get('CustomerID') ?? '').toUpperCase() : '<NEW>';
  return {
    id,
    fields: {
      CustomerID: key,
      Status: 'Active',
      EnableCurrencyOverride: false,
      EnableRateOverride: false,
      EnableWriteOffs: false,
      AutoApplyPayments: false,
      PrintInvoices: true,
      SendInvoicesbyEmail: false,
      BillingContactOverride: false,
      BillingAddressOverride: false,
      ShippingContactOverride: false,
      ShippingAddressOverride: false,
      IsGuestCustomer: false,
      LocationName: 'Primary Location',
      WriteOffLimit: '0',
      NoteID: id,
      CreatedDateTime: company.now(),
    },
    linked: {
      MainContact: { id: company.newId(), fields: {}, linked: { Address: { id: company.newId(), fields: { Country: 'US' } } } },
    },
  };
}

function numberCustomer(company: Company, target: { row: Row; problems: Problems }): void {
  if (!company.isManual('Customer')) return;
  const key = text(target.row, 'CustomerID');
  if (key === '') target.problems.add(target.row, 'CustomerID', cannotBeEmpty('Customer ID'));
  else if (key.length > 10) target.problems.add(target.row, 'CustomerID', 'The value does not fit the CUSTOMER segmented key.');
}

function chooseClass(company: Company, target: { row: Row; problems: Problems }, input: Input, former: Row | undefined): void {
  const chosen = input.fields.get('CustomerClass') ?? (former ? undefined : company.references.CustomerClass.all()[0]?.fields['ClassID']);
  if (chosen === undefined || chosen === null) return;
  const customerClass = company.find('CustomerClass', String(chosen));
  if (!customerClass) {
    target.row.fields['CustomerClass'] = chosen;
    target.problems.add(target.row, 'CustomerClass', cannotBeFound('Customer Class'));
    return;
  }
  const changed = text(target.row, 'CustomerClass') !== text(customerClass, 'ClassID');
  target.row.fields['CustomerClass'] = customerClass.fields['ClassID'] ?? null;
  if (!changed) return;
  for (const [field, from] of Object.entries(classDefaults)) target.row.fields[field] = customerClass.fields[from] ?? null;
  if (text(target.row, 'CurrencyID') === '') target.row.fields['CurrencyID'] = company.state.baseCurrency;
}

function checkCustomer(company: Company, target: { row: Row; problems: Problems }, former: Row | undefined): void {
  const { row, problems } = target;
  if (text(row, 'CustomerName').trim() === '') problems.add(row, 'CustomerName', cannotBeEmpty('Customer Name'));
  const status = statusCodes[text(row, 'Status')] ?? text(row, 'Status');
  row.fields['Status'] = status;
  if (!statuses.includes(status)) problems.add(row, 'Status', `The list value '${status}' is not allowed for the Status field.`);
  checkSelector(target, 'Terms', (key) => company.termsOf(key)?.id);
  checkSelector(target, 'TaxZone', (key) => keyOf(company.find('TaxZone', key), 'TaxZoneID'), 'Tax Zone');
  checkSelector(target, 'CurrencyID', (key) => activeCurrency(company, key), 'Currency ID');
  if (former && text(former, 'CurrencyID') !== text(row, 'CurrencyID') && hasOpenDocuments(company, text(row, 'CustomerID')))
    problems.add(row, 'CurrencyID', 'The currency cannot be changed because the customer has open documents.');
  checkParent(company, target);
}

/** Two levels only: a parent has no parent, and a child has no children. */
function checkParent(company: Company, target: { row: Row; problems: Problems }): void {
  const { row, problems } = target;
  const written = text(row, 'ParentRecord');
  if (written === '') return;
  if (!company.preferences.parentChild) {
    row.fields['ParentRecord'] = null;
    return;
  }
  const parent = company.customers.get(written);
  if (!parent || parent.id === row.id) {
    problems.add(row, 'ParentRecord', cannotBeFound('Parent Account'));
    return;
  }
  row.fields['ParentRecord'] = text(parent, 'CustomerID');
  const ownKey = text(row, 'CustomerID');
  if (text(parent, 'ParentRecord') !== '' || company.customers.all().some((other) => text(other, 'ParentRecord') === ownKey))
    problems.add(row, 'ParentRecord', 'Only two levels of the parent-child hierarchy are supported.');
}

function contactsOf(company: Company, target: { row: Row; problems: Problems }, input: Input): void {
  const { row } = target;
  const main = row.linked?.['MainContact'] ?? { id: company.newId(), fields: {} };
  const linked = { ...row.linked, MainContact: main };
  const mainInput = input.linked.get('MainContact');
  if (mainInput) fillContact(company, { row: main, problems: target.problems }, mainInput, { contact: true, address: true });
  if (text(main, 'DisplayName') === '' || input.fields.has('CustomerName')) {
    const named = nameAliases.some((alias) => mainInput?.fields.has(alias));
    if (!named) for (const alias of nameAliases) main.fields[alias] = row.fields['CustomerName'] ?? null;
  }
  const topEmail = input.fields.get('Email');
  if (topEmail !== undefined && !mainInput?.fields.has('Email')) main.fields['Email'] = topEmail;
  row.fields['Email'] = main.fields['Email'] ?? null;
  row.linked = {
    ...linked,
    BillingContact: otherContact(company, target, input, {
      name: 'BillingContact',
      flags: ['BillingContactOverride', 'BillingAddressOverride'],
    }),
    ShippingContact: otherContact(company, target, input, {
      name: 'ShippingContact',
      flags: ['ShippingContactOverride', 'ShippingAddressOverride'],
    }),
  };
}

/** The billing and shipping contacts mirror the main one, and ignore what is sent, until their override flags are set. */
function otherContact(
  company: Company,
  target: { row: Row; problems: Problems },
  input: Input,
  which: { readonly name: string; readonly flags: readonly [string, string] },
): Row {
  const { row, problems } = target;
  const main = row.linked?.['MainContact'] ?? { id: '', fields: {} };
  const own = row.linked?.[which.name] ?? { id: company.newId(), fields: {} };
  const contact = flag(row, which.flags[0]);
  const address = flag(row, which.flags[1]);
  if (!contact) own.fields = { ...main.fields };
  const mainAddress = main.linked?.['Address'] ?? { id: '', fields: {} };
  const ownAddress = own.linked?.['Address'] ?? { id: company.newId(), fields: {} };
  if (!address) ownAddress.fields = { ...mainAddress.fields };
  own.linked = { Address: ownAddress };
  const sent = input.linked.get(which.name);
  if (sent) fillContact(company, { row: own, problems }, sent, { contact, address });
  return own;
}

function fillContact(
  company: Company,
  target: { row: Row; problems: Problems },
  input: Input,
  allowed: { readonly contact: boolean; readonly address: boolean },
): void {
  const { row, problems } = target;
  if (allowed.contact) {
    assign(company, 'Contact', target, input, contactFields);
    for (const alias of nameAliases) {
      const name = input.fields.get(alias);
      if (name !== undefined) for (const other of nameAliases) row.fields[other] = name;
    }
    const email = text(row, 'Email');
    if (email !== '' && !/^[^@\s]+@[^@\s]+$/.test(email)) problems.add(row, 'Email', 'The email address is not valid.');
  }
  const addressInput = input.linked.get('Address');
  if (!addressInput || !allowed.address) return;
  const address = row.linked?.['Address'] ?? { id: company.newId(), fields: {} };
  row.linked = { ...row.linked, Address: address };
  const addressTarget = { row: address, problems };
  // The state belongs to a country: choosing another country clears it.
  const country = addressInput.fields.get('Country');
  if (country !== undefined && country !== address.fields['Country']) address.fields['State'] = null;
  assign(company, 'Address', addressTarget, addressInput, addressFields);
  checkAddress(addressTarget);
}

function checkAddress(target: { row: Row; problems: Problems }): void {
  const { row, problems } = target;
  const country = text(row, 'Country').toUpperCase();
  if (country !== '' && !/^[A-Z]{2}$/.test(country)) {
    problems.add(row, 'Country', cannotBeFound('Country'));
    return;
  }
  if (country !== '') row.fields['Country'] = country;
  const state = text(row, 'State').toUpperCase();
  const states = statesOf[country];
  if (state === '' || !states) return;
  row.fields['State'] = state;
  if (!states.split(' ').includes(state)) problems.add(row, 'State', cannotBeFound('State'));
}

function activeCurrency(company: Company, key: string): string | undefined {
  const currency = company.find('Currency', key);
  return currency && currency.fields['Active'] !== false ? text(currency, 'CurrencyID') : undefined;
}

function keyOf(row: Row | undefined, field: string): string | undefined {
  return row ? text(row, field) : undefined;
}

function hasOpenDocuments(company: Company, customer: string): boolean {
  const open = (document: Document, field: string) => document.released && !document.voided && !isZero(amount(document, field));
  return (
    company.invoices.withText('Customer', customer).some((document) => open(document, 'Balance')) ||
    company.payments.withText('CustomerID', customer).some((document) => open(document, 'AvailableBalance'))
  );
}

/** Why this customer takes no documents, in the vendor's words; undefined when it does. */
export function customerRefusal(customer: Row): string | undefined {
  const status = text(customer, 'Status');
  return status === 'Inactive' || status === 'On Hold' ? `The customer status is '${status}'.` : undefined;
}
