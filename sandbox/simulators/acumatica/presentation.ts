import { applicationsOnto, balanceOf, findTarget } from './applications.ts';
import type { Company } from './company.ts';
import type { Entity } from './contract.ts';
import { codeOf, documentKey } from './document-types.ts';
import { defaultApplicationDate } from './payments.ts';
import { type Application, customText, type Document, type Row, setDetails, text } from './rows.ts';

/** A stored record with what a form computes when it opens it: views of applications, lines of system batches. */
export function presented(company: Company, entity: Entity, row: Row, at: { readonly list: boolean; readonly businessDate: string }): Row {
  switch (entity.name) {
    case 'Payment':
      return presentPayment(company, row as Document, at);
    case 'Invoice':
      return presentInvoice(company, row as Document);
    case 'JournalTransaction':
      return presentBatch(row as Document);
    default:
      return row;
  }
}

/** Lists read the table; only opening a payment moves the shown application date of an open one to the business date. */
function presentPayment(company: Company, payment: Document, at: { readonly list: boolean; readonly businessDate: string }): Row {
  const shown: Document = { ...payment, fields: { ...payment.fields } };
  if (at.list) return shown;
  shown.fields['ApplicationDate'] = defaultApplicationDate(payment, at.businessDate);
  const own = payment.history.map((application) => historyRow(company, payment, application));
  const onto = applicationsOnto(company, payment).flatMap(({ applier, index }) => {
    const application = applier.history[index];
    return application ? [refundRow(payment, applier, application)] : [];
  });
  setDetails(shown, 'ApplicationHistory', [...own, ...onto]);
  return shown;
}

function historyRow(company: Company, payer: Document, application: Application): Row {
  const target = findTarget(company, text(payer, 'Type'), application.type, application.reference);
  return {
    id: rowId(payer.id, application.number),
    fields: {
      AdjustedDocType: codeOf(application.type),
      AdjustedRefNbr: application.reference,
      AdjustingDocType: codeOf(text(payer, 'Type')),
      AdjustingRefNbr: text(payer, 'ReferenceNbr'),
      AdjustmentNbr: application.number,
      DisplayDocType: application.type,
      DisplayRefNbr: application.reference,
      AmountPaid: application.amount,
      CashDiscountTaken: application.discount,
      BalanceWriteOff: application.writeOff,
      ApplicationPeriod: application.period,
      PostPeriod: (target && text(target, 'PostPeriod')) || application.period,
      BatchNbr: application.batch,
      Balance: target ? balanceOf(company, target) : '0',
      CurrencyID: payer.currency,
      Customer: target ? text(target, 'Customer') || text(target, 'CustomerID') : null,
      CustomerOrder: target?.fields['CustomerOrder'] ?? null,
      Date: target ? text(target, 'Date') || text(target, 'ApplicationDate') : null,
      DueDate: target?.fields['DueDate'] ?? null,
      Description: target?.fields['Description'] ?? null,
    },
  };
}

/** A refund that consumed part of this payment or memo, as the history of the latter shows it. */
function refundRow(payment: Document, refund: Document, application: Application): Row {
  return {
    id: rowId(refund.id, application.number),
    fields: {
      AdjustedDocType: codeOf(text(payment, 'Type')),
      AdjustedRefNbr: text(payment, 'ReferenceNbr'),
      AdjustingDocType: codeOf(text(refund, 'Type')),
      AdjustingRefNbr: text(refund, 'ReferenceNbr'),
      AdjustmentNbr: application.number,
      DisplayDocType: text(refund, 'Type'),
      DisplayRefNbr: text(refund, 'ReferenceNbr'),
      AmountPaid: application.amount,
      CashDiscountTaken: '0',
      BalanceWriteOff: '0',
      ApplicationPeriod: application.period,
      PostPeriod: application.period,
      BatchNbr: application.batch,
      Balance: '0',
      CurrencyID: refund.currency,
      Customer: text(refund, 'CustomerID'),
      Date: customText(refund, 'CurrentDocument.DocDate'),
      Description: refund.fields['Description'] ?? null,
    },
  };
}

function presentInvoice(company: Company, invoice: Document): Row {
  const shown: Document = { ...invoice };
  if (text(invoice, 'Type') === 'Credit Memo') {
    const memo = company.payments.get(documentKey('Credit Memo', text(invoice, 'ReferenceNbr')));
    if (memo)
      setDetails(
        shown,
        'ApplicationsCreditMemo',
        memo.history.map((application) => memoRow(company, memo, application)),
      );
    return shown;
  }
  setDetails(
    shown,
    'ApplicationsDefault',
    applicationsOnto(company, invoice).flatMap(({ applier, index }) => {
      const application = applier.history[index];
      return application ? [paidRow(applier, application)] : [];
    }),
  );
  return shown;
}

function paidRow(applier: Document, application: Application): Row {
  return {
    id: rowId(applier.id, application.number),
    fields: {
      DocType: text(applier, 'Type'),
      ReferenceNbr: text(applier, 'ReferenceNbr'),
      AmountPaid: application.amount,
      CashDiscountTaken: application.discount,
      PaymentDate: customText(applier, 'CurrentDocument.DocDate'),
      Status: text(applier, 'Status'),
      Balance: applier.fields['AvailableBalance'] ?? null,
    },
  };
}

function memoRow(company: Company, memo: Document, application: Application): Row {
  const target = company.invoices.get(documentKey(application.type, application.reference));
  return {
    id: rowId(memo.id, application.number),
    fields: {
      DocType: application.type,
      ReferenceNbr: application.reference,
      AmountPaid: application.amount,
      Customer: target?.fields['Customer'] ?? null,
      CustomerOrder: target?.fields['CustomerOrder'] ?? null,
      PostPeriod: target?.fields['PostPeriod'] ?? null,
      Balance: target?.fields['Balance'] ?? null,
      Status: target?.fields['Status'] ?? null,
      Description: target?.fields['Description'] ?? null,
    },
  };
}

/** Batches that releases created have ledger lines only. */
function presentBatch(batch: Document): Row {
  if (!batch.entries || batch.details?.['Details']) return batch;
  const shown: Document = { ...batch };
  setDetails(
    shown,
    'Details',
    batch.entries.map((entry, index) => ({
      id: rowId(batch.id, index + 1),
      fields: {
        LineNbr: index + 1,
        Account: entry.account,
        Subaccount: entry.subaccount,
        BranchID: batch.fields['BranchID'] ?? null,
        DebitAmount: entry.debit,
        CreditAmount: entry.credit,
        ReferenceNbr: entry.reference,
        TransactionDescription: entry.text,
        VendorOrCustomer: entry.customer,
      },
    })),
  );
  return shown;
}

/** Rows of views have no id of their own; it is made from the document's. */
function rowId(id: string, number: number): string {
  return `${id.slice(0, 24)}${number.toString(16).padStart(12, '0')}`;
}
