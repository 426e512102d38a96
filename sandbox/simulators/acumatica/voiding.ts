import { negate } from '../../../lib/values/decimal.ts';
import type { Company } from './company.ts';
import { documentKey } from './document-types.ts';
import { newDocument } from './documents.ts';
import { refreshPayment } from './payments.ts';
import { actionDisabled, businessError, httpError } from './refusals.ts';
import { amount, customText, type Document, detailsOf, setCustom, setDetails, text } from './rows.ts';
import { isRefunded } from './settlement.ts';

/**
 * VoidPayment: creates the Voided Payment (or Voided Refund) under the number of the original, with every amount negative. It is dated
 * by the business date unless the payment method says otherwise, and takes effect only when it is released itself.
 */
export function voidPayment(company: Company, document: Document, businessDate: string): void {
  const type = text(document, 'Type');
  const voidType = type === 'Refund' ? 'Voided Refund' : 'Voided Payment';
  if (!document.released || document.voided || (type !== 'Payment' && type !== 'Prepayment' && type !== 'Refund'))
    throw actionDisabled('Void');
  const reference = text(document, 'ReferenceNbr');
  const former = company.payments.get(documentKey(voidType, reference));
  if (former && !former.unsaved) throw businessError(`The ${voidType} ${reference} already exists.`);
  if (customText(document, 'CurrentDocument.DepositNbr') !== '')
    // The form asks for confirmation; nobody answers a dialog over the API.
    throw httpError(
      500,
      'PX.Data.PXDialogRequiredException',
      `The payment is included in the ${customText(document, 'CurrentDocument.DepositNbr')} bank deposit. Do you want to void the payment?`,
    );
  if (isRefunded(company, document)) throw businessError(`The payment ${reference} cannot be voided because it has been refunded.`);
  const method = company.find('PaymentMethod', text(document, 'PaymentMethod'));
  const keepsDate = method?.custom?.['PaymentMethod.DefaultVoidDateToDocumentDate'] === true;
  const date = keepsDate ? customText(document, 'CurrentDocument.DocDate') : businessDate;
  const voiding = newDocument(company, {
    ...document.fields,
    Type: voidType,
    ReferenceNbr: reference,
    PaymentAmount: negate(amount(document, 'PaymentAmount')),
    ApplicationDate: date,
    Hold: company.preferences.holdEntry,
  });
  voiding.fields['NoteID'] = voiding.id;
  voiding.currency = document.currency;
  voiding.rate = document.rate;
  voiding.custom = { ...document.custom };
  setCustom(voiding, 'CurrentDocument.BatchNbr', null);
  setCustom(voiding, 'CurrentDocument.DocDate', date);
  setCustom(voiding, 'Document.AdjFinPeriodID', company.periodOf(date)?.id ?? customText(document, 'Document.AdjFinPeriodID'));
  setDetails(voiding, 'DocumentsToApply', negatedRows(company, document));
  setDetails(
    voiding,
    'Charges',
    detailsOf(document, 'Charges').map((row) => ({
      id: company.newId(),
      fields: { ...row.fields, Amount: negate(amount(row, 'Amount')) },
    })),
  );
  if (!company.preferences.voidSaves) voiding.unsaved = true;
  voiding.fields['LastModifiedDateTime'] = company.now();
  if (former) company.payments.delete(former);
  refreshPayment(company, voiding);
  company.payments.put(voiding);
}

function negatedRows(company: Company, document: Document) {
  return document.history
    .filter((application) => !application.reversed)
    .map((application) => ({
      id: company.newId(),
      fields: {
        DocType: application.type,
        ReferenceNbr: application.reference,
        AmountPaid: negate(application.amount),
        CashDiscountTaken: negate(application.discount),
        BalanceWriteOff: negate(application.writeOff),
      },
    }));
}
