/** The document types of accounts receivable: the label the API shows and the code it keeps. */
export type DocumentType =
  | 'Invoice'
  | 'Debit Memo'
  | 'Credit Memo'
  | 'Overdue Charge'
  | 'Payment'
  | 'Prepayment'
  | 'Refund'
  | 'Voided Payment'
  | 'Voided Refund';

const codes: Readonly<Record<DocumentType, string>> = {
  Invoice: 'INV',
  'Debit Memo': 'DRM',
  'Credit Memo': 'CRM',
  'Overdue Charge': 'FCH',
  Payment: 'PMT',
  Prepayment: 'PPM',
  Refund: 'REF',
  'Voided Payment': 'RPM',
  'Voided Refund': 'VRF',
};

const byText = new Map<string, DocumentType>(
  (Object.entries(codes) as [DocumentType, string][]).flatMap(([label, code]) => [
    [label.toLowerCase(), label],
    [code.toLowerCase(), label],
  ]),
);

export const invoiceTypes: readonly DocumentType[] = ['Invoice', 'Debit Memo', 'Credit Memo', 'Overdue Charge'];
export const paymentTypes: readonly DocumentType[] = ['Payment', 'Prepayment', 'Credit Memo', 'Refund', 'Voided Payment', 'Voided Refund'];

/** A label or a code, in any case. */
export function documentType(text: string): DocumentType | undefined {
  return byText.get(text.trim().toLowerCase());
}

export function codeOf(type: string): string {
  return codes[type as DocumentType] ?? type;
}

/** The key of a document in its table: `INV|AR004711`. Lists come in the order of the codes. */
export function documentKey(type: string, reference: string): string {
  return `${codeOf(type)}|${reference.trim().toUpperCase()}`;
}

/** What the documents of these types may be applied to. */
export function targetsOf(type: string): readonly DocumentType[] {
  if (type === 'Refund' || type === 'Voided Refund') return ['Payment', 'Prepayment', 'Credit Memo'];
  return ['Invoice', 'Debit Memo', 'Overdue Charge'];
}
