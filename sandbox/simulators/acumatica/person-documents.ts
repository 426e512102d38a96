import { absolute, equal, isNegative, negate } from '../../../lib/values/decimal.ts';
import { ControlError } from '../kit.ts';
import { noteAppliers, pendingRows } from './applications.ts';
import type { Company } from './company.ts';
import { entityOf } from './contract.ts';
import { documentKey, documentType, invoiceTypes } from './document-types.ts';
import { invoiceStatus, saveInvoice } from './invoices.ts';
import { journalStatus, saveJournal } from './journals.ts';
import { payerOf, refreshPayment, savePayment } from './payments.ts';
import type { ActionOf } from './person-actions.ts';
import { plainInput } from './plain-input.ts';
import { recordsOf } from './records-of-entity.ts';
import { releaseInvoice, releaseJournal, releasePayment, touch } from './release.ts';
import { type Document, flag, setCustom, setDetails, text } from './rows.ts';
import { applyPending, reversesField } from './settlement.ts';
import { voidPayment } from './voiding.ts';

type FormName = 'Invoice' | 'Payment' | 'JournalTransaction';

interface Found {
  readonly form: FormName;
  readonly document: Document;
}

/** A document by its type and number. A released credit memo is looked for on the form where the action makes sense. */
function find(company: Company, which: { readonly type: string; readonly ref: string }, prefer: FormName = 'Invoice'): Found {
  if (/^(journal|journaltransaction|gl)$/i.test(which.type)) {
    const batch = company.batches.get(`GL|${which.ref}`);
    if (batch) return { form: 'JournalTransaction', document: batch };
  }
  const type = documentType(which.type);
  if (type) {
    const key = documentKey(type, which.ref);
    const invoice = invoiceTypes.includes(type) ? company.invoices.get(key) : undefined;
    const payment = company.payments.get(key);
    if (payment && (prefer === 'Payment' || !invoice)) return { form: 'Payment', document: payment };
    if (invoice) return { form: 'Invoice', document: invoice };
  }
  throw new ControlError(`there is no ${which.type} ${which.ref}`);
}

const context = (company: Company) => ({ businessDate: company.today(), branch: company.defaultBranch() });

function save(company: Company, found: Found, fields: Readonly<Record<string, unknown>>): Document {
  const input = plainInput(found.form, fields);
  if (found.form === 'Invoice') return saveInvoice(company, found.document, input, context(company));
  if (found.form === 'Payment') return savePayment(company, found.document, input, context(company));
  return saveJournal(company, found.document, input, context(company));
}

export function editDocument(company: Company, given: ActionOf<'edit-document'>): unknown {
  const document = save(company, find(company, given), given.fields);
  return { status: text(document, 'Status') };
}

export function deleteDocument(company: Company, given: ActionOf<'delete-document'>): unknown {
  const found = find(company, given);
  recordsOf(company, entityOf(found.form)).remove?.(found.document);
  return { deleted: true };
}

export function releaseDocument(company: Company, given: ActionOf<'release-document'>): unknown {
  // A released memo is released again on the payments form, for its new applications.
  const memo = documentType(given.type) === 'Credit Memo' ? find(company, given) : undefined;
  const found = find(company, given, memo?.document.released === true ? 'Payment' : 'Invoice');
  const onHold = !found.document.released && flag(found.document, 'Hold');
  const document = onHold ? save(company, found, { Hold: false }) : found.document;
  if (found.form === 'Invoice') releaseInvoice(company, document);
  else if (found.form === 'Payment') releasePayment(company, document);
  else releaseJournal(company, document);
  return { status: text(document, 'Status') };
}

export function setHold(company: Company, given: ActionOf<'put-on-hold'>, hold: boolean): unknown {
  const found = find(company, given, 'Payment');
  return { status: text(save(company, found, { Hold: hold }), 'Status') };
}

export function decideApproval(company: Company, given: ActionOf<'approve'>, approval: 'approved' | 'rejected'): unknown {
  const { form, document } = find(company, given);
  if (document.released) throw new ControlError(`${given.type} ${given.ref} is released`);
  document.approval = approval;
  touch(company, document);
  if (form === 'Payment') refreshPayment(company, document);
  else document.fields['Status'] = form === 'Invoice' ? invoiceStatus(company, document) : journalStatus(company, document);
  return { status: text(document, 'Status') };
}

export function voidDocument(company: Company, given: ActionOf<'void-document'>): unknown {
  const { document } = find(company, given, 'Payment');
  voidPayment(company, document, given.date ?? company.today());
  const type = text(document, 'Type') === 'Refund' ? 'Voided Refund' : 'Voided Payment';
  if (given.release) releaseDocument(company, { type, ref: given.ref });
  return { status: text(find(company, { type, ref: given.ref }, 'Payment').document, 'Status') };
}

export function depositPayment(company: Company, given: ActionOf<'deposit-payment'>): unknown {
  const { document } = find(company, given, 'Payment');
  if (!document.released || document.voided) throw new ControlError(`${given.type} ${given.ref} is not open for a deposit`);
  setCustom(document, 'CurrentDocument.DepositNbr', given.deposit);
  setCustom(document, 'CurrentDocument.Deposited', true);
  setCustom(document, 'CurrentDocument.DepositDate', company.today());
  touch(company, document);
  return { deposit: given.deposit };
}

/** Adds the opposite of a history row to the pending rows; its release brings both balances back. */
export function reverseApplication(company: Company, given: ActionOf<'reverse-application'>): unknown {
  const { document } = find(company, given, 'Payment');
  const ref = typeof given.document === 'string' ? given.document : given.document.ref;
  const type = typeof given.document === 'string' ? undefined : given.document.type;
  const application = document.history.find(
    (other) =>
      !other.reversed &&
      other.reference.toUpperCase() === ref.toUpperCase() &&
      (type === undefined || documentType(type) === other.type) &&
      (given.amount === undefined || equal(absolute(given.amount), other.amount)),
  );
  if (!application || isNegative(application.amount))
    throw new ControlError(`${given.type} ${given.ref} has no live application to ${ref}${given.amount ? ` of ${given.amount}` : ''}`);
  document.fields['ApplicationDate'] = given.date ?? company.today();
  setCustom(document, 'Document.AdjFinPeriodID', company.periodOf(payerOf(document).date)?.id ?? application.period);
  setDetails(document, 'DocumentsToApply', [
    ...pendingRows(document),
    {
      id: company.newId(),
      fields: {
        DocType: application.type,
        ReferenceNbr: application.reference,
        AmountPaid: negate(application.amount),
        CashDiscountTaken: negate(application.discount),
        BalanceWriteOff: negate(application.writeOff),
      },
      custom: { [reversesField]: application.number },
    },
  ]);
  noteAppliers(company, document, text(document, 'Type'));
  if (given.release) applyPending(company, document, application.batch);
  refreshPayment(company, document);
  company.payments.put(document);
  return { status: text(document, 'Status'), available: document.fields['AvailableBalance'] };
}

export function createJournal(company: Company, given: ActionOf<'create-journal'>): unknown {
  const batch = saveJournal(company, undefined, plainInput('JournalTransaction', { Hold: false, ...given.fields }), context(company));
  if (given.release) releaseJournal(company, batch);
  return { number: text(batch, 'BatchNbr'), status: text(batch, 'Status') };
}
