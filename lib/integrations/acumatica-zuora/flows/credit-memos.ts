import { named } from '../sources/by-number.ts';
import { documentFeed, fetchCreditMemos } from '../sources/documents.ts';
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

/** Applications are not sent with the memo: the flow `applications` makes them, one mechanism with one proof. */
export const creditMemos: DocumentFlow = {
  id: 'credit-memos',
  kind: 'post',
  summary: 'A posted Zuora credit memo becomes a released AR credit memo of Acumatica (tenants with Invoice Settlement).',
  from: 'b',
  wakes: { webhooks: ['CreditMemoPosted'], pollNow: ['BillRunCompletion'], poll: 15 },
  source: {
    feeds: () => [documentFeed('credit-memos')],
    rows: fetchCreditMemos,
    row: documentRow,
    describe: describeDocument,
    named: named('credit-memos'),
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
