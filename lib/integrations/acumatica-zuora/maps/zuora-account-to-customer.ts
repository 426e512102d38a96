import { countryCode } from '../countries.ts';
import type { Customer } from '../customer.ts';
import { hold, mappingMissing } from '../holds.ts';
import { cut, sameText } from '../markers.ts';
import type { Settings } from '../settings.ts';
import type { AccountSource } from '../sources/accounts.ts';
import { keepsStates, stateCode } from '../states.ts';
import { termsOf } from './zuora-document-to-ar-document.ts';

/** A Zuora billing account as a customer. Pure; throws what a person must settle first. */

type Rules = Pick<Settings, 'terms' | 'customers' | 'hierarchy'>;
type Contact = NonNullable<AccountSource['contact']>;

export interface MappedCustomer {
  readonly fields: Partial<Customer>;
  /** What could not go over as it is. */
  readonly remarks: readonly string[];
}

export function mapAccount(account: AccountSource, settings: Rules): MappedCustomer {
  const remarks: string[] = [];
  const contact: Contact = account.contact ?? {};
  const country = countryOf(account, contact.country);
  const name = fitted('name', blanksCollapsed(account.name), 255, remarks) ?? '';
  const terms = termsOf(account.terms, settings.terms);
  if (terms === undefined && account.terms !== undefined) remarks.push(`payment term '${account.terms}' is not mapped`);
  const fields: Partial<Customer> = {
    ref: refOf(account),
    name,
    currency: account.currency,
    // An unmapped term leaves the customer's terms as they are.
    ...(terms === undefined ? {} : { terms: terms.slice(0, 10) }),
    ...emailOf(contact, remarks),
    attention: attentionOf(contact, name),
    phone: fitted('phone', contact.workPhone, 50, remarks),
    ...linesOf(contact, remarks),
    city: fitted('city', contact.city, 50, remarks),
    state: stateOf(country, contact.state, remarks),
    postal: fitted('postal code', contact.postal, 20, remarks),
    country,
    applies: 'connector',
    customerId: filled(account.customerId),
    ...(settings.customers.taxId === 'off' ? {} : { taxId: fitted('tax number', account.taxId, 50, remarks) }),
    ...(settings.hierarchy === 'off' ? {} : { parent: parentOf(account, remarks) }),
    ...(settings.customers.onCanceled === 'keep' ? {} : { active: !(account.status === 'Canceled' && account.settled) }),
  };
  return { fields, remarks };
}

function refOf(account: AccountSource): string {
  const ref = account.number.trim();
  if (ref.length <= 50) return ref;
  throw hold(
    'number-too-long',
    `Account number ${ref} has ${ref.length} characters; AccountRef of Acumatica keeps 50.`,
    'Shorten the account number in Zuora. It is how the customer is found again, so it is never cut.',
  );
}

function countryOf(account: AccountSource, text: string | undefined): string {
  const code = text === undefined ? undefined : countryCode(text);
  if (code !== undefined) return code;
  const shown = text ?? '(none)';
  throw mappingMissing(
    `country:${shown}`,
    text === undefined
      ? `${account.number} has no country in its bill-to contact; Acumatica needs one.`
      : `${account.number} has country '${text}', which is not a country of ISO 3166.`,
    `Correct the bill-to contact of ${account.number} in Zuora.`,
  );
}

/** Work address, else the personal one. An invalid one is left out, so that the customer keeps what it has. */
function emailOf(contact: Contact, remarks: string[]): Pick<Customer, 'email'> {
  const email = filled(contact.workEmail) ?? filled(contact.personalEmail);
  if (email === undefined) return { email: undefined };
  if (email.length <= 255 && /^[^\s@,;<>"()]+@[^\s@,;<>"()]+\.[^\s@.,;<>"()]+$/.test(email)) return { email };
  remarks.push('the e-mail address is not valid and was left out');
  return {};
}

function attentionOf(contact: Contact, name: string): string | undefined {
  // Zuora insists on a last name: '.' stands for none.
  const parts = [contact.firstName, contact.lastName].map(filled).filter((part) => part !== undefined && part !== '.');
  const attention = blanksCollapsed(parts.join(' '));
  return attention === undefined || sameText(attention, name) ? undefined : cut(attention, 255);
}

/** 50 characters a line: what does not fit into the first goes to an empty second. */
function linesOf(contact: Contact, remarks: string[]): Pick<Customer, 'line1' | 'line2'> {
  const first = blanksCollapsed(contact.address1);
  const second = blanksCollapsed(contact.address2);
  if (first === undefined || first.length <= 50 || second !== undefined)
    return { line1: fitted('address line 1', first, 50, remarks), line2: fitted('address line 2', second, 50, remarks) };
  const blank = first.lastIndexOf(' ', 50);
  const at = blank > 0 ? blank : 50;
  return { line1: first.slice(0, at).trim(), line2: fitted('address line 1', first.slice(at).trim(), 50, remarks) };
}

function stateOf(country: string, text: string | undefined, remarks: string[]): string | undefined {
  const state = filled(text);
  if (state === undefined || !keepsStates(country)) return undefined;
  const code = stateCode(country, state);
  if (code === undefined) remarks.push(`'${state}' is no state of ${country} and was left out`);
  return code;
}

function parentOf({ number, parent }: AccountSource, remarks: string[]): string | undefined {
  if (parent?.is === 'endless')
    throw hold(
      'parent-chain',
      `The parent accounts of ${number} lead back to it, or are more than ten deep.`,
      `Correct the parent account of ${number} in Zuora.`,
    );
  if (parent?.is === 'excluded') remarks.push(`its parent ${parent.number} is in an excluded batch, so it has none`);
  return parent?.is === 'account' ? parent.id : undefined;
}

function fitted(what: string, text: string | undefined, length: number, remarks: string[]): string | undefined {
  const whole = filled(text);
  if (whole === undefined || whole.length <= length) return whole;
  remarks.push(`${what} was cut to ${length} characters`);
  return whole.slice(0, length).trim();
}

function filled(text: string | undefined): string | undefined {
  const trimmed = text?.trim();
  return trimmed === '' ? undefined : trimmed;
}

const blanksCollapsed = (text: string | undefined): string | undefined => filled(text?.replace(/\s+/g, ' '));
