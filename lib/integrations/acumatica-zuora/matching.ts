import type { Match } from '../../contracts/flow.ts';
import type { Failure } from '../../failures.ts';
import type { Customer } from './customer.ts';
import { hold } from './holds.ts';
import { sameText } from './markers.ts';

/**
 * Which Acumatica customer an account is, when no link and no AccountRef says so. Rules in order: 3 the CustomerID written into the account, 4 a
 * strong likeness, 5 the name alone, 6 none. Pure.
 */

/** What the rules look at of a customer. */
export type Candidate = {
  readonly id: string;
  readonly name: string;
  readonly ref?: string;
  readonly currency?: string;
  readonly email?: string;
  readonly postal?: string;
  readonly country?: string;
};

export type MatchAsk = Pick<Customer, 'ref' | 'name'> &
  Partial<Pick<Customer, 'currency' | 'email' | 'postal' | 'country' | 'customerId'>> & { readonly decision?: string | undefined };

export type MatchPolicy = 'strong' | 'hold' | 'off';

const legalForms = new Set(
  'inc incorporated corp corporation co company llc llp ltd limited plc gmbh ag kg ug sa sas sarl srl spa bv nv ab as aps oy pty'.split(
    ' ',
  ),
);
const letters: Readonly<Record<string, string>> = { ß: 'ss', ø: 'o', æ: 'ae', ł: 'l' };

/** `Hollis Freight, Inc.` and `HOLLIS FREIGHT` are one name: case, accents, punctuation and the legal form do not count. */
export function plainName(name: string): string {
  const words = name
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[ßøæł]/g, (letter) => letters[letter] ?? letter)
    .replace(/&/g, ' and ')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .split(' ');
  while (words.length > 1 && legalForms.has(words.at(-1) ?? '')) words.pop();
  return words.join(' ');
}

/** Customers that a rule may have something to say about; they are then read live. */
export function candidatesFor(ask: MatchAsk, named: (name: string) => readonly Candidate[], policy: MatchPolicy): readonly string[] {
  const ids = ask.customerId === undefined ? [] : [ask.customerId];
  if (policy === 'off' || ask.decision === 'create') return ids;
  return [...ids, ...named(plainName(ask.name)).flatMap((candidate) => (isFree(candidate) ? [candidate.id] : []))];
}

/** `present` are the candidates as Acumatica shows them now, without those linked to other accounts. */
export function matchCustomer(ask: MatchAsk, present: readonly Candidate[], policy: MatchPolicy): Match | 'none' {
  const named = byCustomerId(ask, present);
  if (named !== undefined) return named;
  if (policy === 'off' || ask.decision === 'create') return 'none';
  const name = plainName(ask.name);
  const alike = name === '' ? [] : present.filter((candidate) => isFree(candidate) && plainName(candidate.name) === name);
  const strong = policy === 'strong' ? alike.filter((candidate) => isStrong(ask, candidate)) : [];
  const [first] = strong;
  if (first !== undefined && strong.length === 1) return { key: first.id, why: whyStrong(ask, first) };
  if (strong.length > 1) throw ambiguous(ask, strong);
  if (alike.length > 0) throw possibleDuplicate(ask, alike);
  return 'none';
}

const isFree = (candidate: Candidate): boolean => (candidate.ref ?? '').trim() === '';

function byCustomerId(ask: MatchAsk, present: readonly Candidate[]): Match | undefined {
  if (ask.customerId === undefined) return undefined;
  const named = present.find((candidate) => sameText(candidate.id, ask.customerId));
  if (named === undefined)
    throw hold(
      `match-field:${ask.ref}`,
      `${ask.ref} '${ask.name}' names customer ${ask.customerId}, which Acumatica does not have or which is linked with another account.`,
      'Correct the field in Zuora (customers.matchField), or link the right customer.',
    );
  if (!isFree(named) && !sameText(named.ref, ask.ref))
    throw hold(
      `match-field:${ask.ref}`,
      `${ask.ref} '${ask.name}' names customer ${named.id}, whose AccountRef is ${named.ref}.`,
      `Correct the field in Zuora (customers.matchField), or the AccountRef of ${named.id}.`,
    );
  checkCustomerCurrency(ask, named);
  return { key: named.id, why: `the account names it` };
}

function isStrong(ask: MatchAsk, candidate: Candidate): boolean {
  return candidate.currency === ask.currency && (sameEmail(ask, candidate) || sameAddress(ask, candidate));
}

const sameEmail = (ask: MatchAsk, candidate: Candidate): boolean => (ask.email ?? '').trim() !== '' && sameText(ask.email, candidate.email);

const postalKey = (postal: string | undefined): string => (postal ?? '').replace(/\s+/g, '').toUpperCase();

const sameAddress = (ask: MatchAsk, candidate: Candidate): boolean =>
  postalKey(ask.postal) !== '' && postalKey(ask.postal) === postalKey(candidate.postal) && sameText(ask.country, candidate.country);

const whyStrong = (ask: MatchAsk, candidate: Candidate): string =>
  sameEmail(ask, candidate) ? 'name, currency and e-mail are equal' : 'name, currency, postal code and country are equal';

/** An account's documents could never be posted to a customer in another currency. */
export function checkCustomerCurrency(ask: Pick<MatchAsk, 'ref' | 'currency'>, customer: Pick<Candidate, 'id' | 'currency'>): void {
  if (ask.currency === undefined || customer.currency === undefined || sameText(ask.currency, customer.currency)) return;
  throw hold(
    'currency',
    `Account ${ask.ref} is in ${ask.currency}; customer ${customer.id}, which belongs to it, is in ${customer.currency}.`,
    `Correct the currency of ${customer.id} (AR303000), or clear its AccountRef and link another customer; then replay.`,
  );
}

function ambiguous(ask: MatchAsk, candidates: readonly Candidate[]): Failure {
  return hold(
    'ambiguous-customer',
    looksLike(ask, candidates),
    'Link the right one, or choose create: then a new customer is made.',
    detailsOf(candidates),
  );
}

function possibleDuplicate(ask: MatchAsk, candidates: readonly Candidate[]): Failure {
  return hold(
    'possible-duplicate',
    looksLike(ask, candidates),
    'Link one, or choose create: then a new customer is made.',
    detailsOf(candidates),
  );
}

const looksLike = (ask: MatchAsk, candidates: readonly Candidate[]): string =>
  `${ask.ref} '${ask.name}' looks like ${candidates.map((candidate) => candidate.id).join(', ')}: link one or choose create.`;

const detailsOf = (candidates: readonly Candidate[]) => ({
  details: Object.fromEntries(candidates.slice(0, 20).map((candidate) => [candidate.id, candidate.name])),
});
