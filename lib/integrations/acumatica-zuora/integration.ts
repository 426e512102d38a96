import type { Flow } from '../../contracts/flow.ts';
import type { Integration } from '../../contracts/integration.ts';
import type { AcumaticaClient } from '../../vendors/acumatica/client.ts';
import { acumatica } from '../../vendors/acumatica/vendor.ts';
import type { ZuoraClient } from '../../vendors/zuora/client.ts';
import { zuora } from '../../vendors/zuora/vendor.ts';
import { alignmentReport } from './alignment.ts';
import { checkPair } from './check.ts';
import { type PairContext, pairContext } from './context.ts';
import { applications } from './flows/applications.ts';
import { creditMemos } from './flows/credit-memos.ts';
import { customers } from './flows/customers.ts';
import { invoices } from './flows/invoices.ts';
import { journals } from './flows/journals.ts';
import { payments } from './flows/payments.ts';
import { refunds } from './flows/refunds.ts';
import { registerPair } from './register.ts';
import { reconcile } from './reports/reconcile.ts';
import { type Settings, settingsSchema } from './settings.ts';
import { autoRelease, contradictions, flowsOff, tables } from './tables.ts';

const key = 'acumatica-zuora';

/** Zuora bills and collects, Acumatica keeps the books: everything moves from `b` to `a`. */
export const acumaticaZuora: Integration<Settings, AcumaticaClient, ZuoraClient, PairContext> = {
  key,
  title: 'Zuora Billing → Acumatica Cloud ERP',
  sides: { a: acumatica, b: zuora },
  settings: settingsSchema,
  tables,
  autoRelease,
  flows: [customers as Flow<PairContext>, invoices, creditMemos, payments, applications, refunds, journals],
  reports: [reconcile],
  context: pairContext,
  flowsOff,
  contradictions,
  check: checkPair,
  reference: {
    everyMinutes: 24 * 60,
    async refresh(context) {
      await context.loadBooks([]);
      return alignmentReport(await context.refreshBooks(), context.settings);
    },
  },
  register: registerPair,
};
