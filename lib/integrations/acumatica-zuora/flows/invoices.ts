import { named } from '../sources/by-number.ts';
import { documentFeed, fetchInvoicesAndDebitMemos } from '../sources/documents.ts';
import {
  type DocumentFlow,
  decideDocument,
  describeDocument,
  documentReferences,
  documentReversal,
  documentRow,
  documentTarget,
  gatherAll,
  lookUpDocuments,
  mapOne,
  rememberDocument,
  screenDocument,
} from './billing-documents.ts';

export const invoices: DocumentFlow = {
  id: 'invoices',
  kind: 'post',
  summary: 'A posted Zuora invoice or debit memo becomes a released AR document of Acumatica.',
  from: 'b',
  wakes: { webhooks: ['InvoicePosted', 'DebitMemoPosted'], pollNow: ['BillRunCompletion'], poll: 15 },
  source: {
    feeds: () => [documentFeed('invoices'), documentFeed('debit-memos')],
    rows: fetchInvoicesAndDebitMemos,
    row: documentRow,
    describe: describeDocument,
    named: named('invoices', 'debit-memos'),
  },
  screen: screenDocument,
  gather: gatherAll,
  decide: decideDocument,
  references: documentReferences,
  lookUp: lookUpDocuments,
  map: mapOne,
  remember: rememberDocument,
  target: documentTarget,
  reversal: documentReversal,
};
