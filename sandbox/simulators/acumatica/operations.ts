import type { Company } from './company.ts';
import { type Entity, entityOf } from './contract.ts';
import { businessError, httpError, noEntity, RecordRefused, Refusal } from './refusals.ts';
import { releaseInvoice, releaseJournal, releasePayment } from './release.ts';
import type { Document } from './rows.ts';
import { voidPayment } from './voiding.ts';
import { writeRefusedRecord } from './wire-write.ts';

/** An action that runs by itself after it was asked for. */
export interface Operation {
  id: string;
  /** Only the session that started it may ask how it goes. */
  sessionId: string;
  form: string;
  entity: string;
  /** Internal name of the action: `Release`, `VoidCheck`. */
  action: string;
  documentId: string;
  businessDate: string;
  finishesAt: string;
  outcome?: { status: number; body: unknown };
}

/** Long-running actions: started, finished when their time has come on the world's clock, asked about by their session. */
export class Operations {
  readonly #company: Company;
  list: Operation[] = [];

  constructor(company: Company) {
    this.#company = company;
  }

  start(options: Omit<Operation, 'id' | 'finishesAt' | 'outcome'>, runningMs: number): Operation {
    const finishesAt = new Date(this.#company.world.clock.now().getTime() + runningMs).toISOString();
    const operation: Operation = { ...options, id: this.#company.newId(), finishesAt };
    this.list.push(operation);
    return operation;
  }

  /** Finishes every operation whose time has come, oldest first. */
  settle(now: string): void {
    const due = this.list.filter((operation) => !operation.outcome && operation.finishesAt <= now);
    for (const operation of due.sort((left, right) => (left.finishesAt < right.finishesAt ? -1 : 1))) this.#finish(operation);
    // Old answers are forgotten after an hour.
    const oldest = new Date(Date.parse(now) - 3_600_000).toISOString();
    const first = this.list[0];
    if (first && first.finishesAt <= oldest)
      this.list = this.list.filter((operation) => !operation.outcome || operation.finishesAt > oldest);
  }

  /** While an operation runs, only its status request is sure to work for that form in that session. */
  refuseWhileRunning(sessionId: string, form: string): void {
    if (this.list.some((operation) => !operation.outcome && operation.sessionId === sessionId && operation.form === form))
      throw httpError(500, 'PX.Data.PXException', 'Error: The previous operation has not been completed yet.');
  }

  find(id: string, sessionId: string): Operation | undefined {
    return this.list.find((operation) => operation.id === id && operation.sessionId === sessionId);
  }

  #finish(operation: Operation): void {
    try {
      runAction(this.#company, entityOf(operation.entity), operation);
      operation.outcome = { status: 204, body: null };
    } catch (error) {
      operation.outcome = outcomeOf(error, entityOf(operation.entity));
    }
  }
}

/** How a failed action or save answers. */
export function outcomeOf(error: unknown, entity: Entity): { status: number; body: unknown } {
  if (error instanceof RecordRefused) return { status: 422, body: writeRefusedRecord(entity, error.row, error.problems, error.inserting) };
  if (error instanceof Refusal) return { status: error.status, body: error.body };
  throw error;
}

/** Does what an action does, at once. */
export function runAction(
  company: Company,
  entity: Entity,
  what: { readonly action: string; readonly documentId: string; readonly businessDate: string },
): void {
  const document = findDocument(company, entity, what.documentId);
  if (!document) throw noEntity();
  switch (`${entity.name}/${what.action}`) {
    case 'Invoice/Release':
      releaseInvoice(company, document);
      break;
    case 'Payment/Release':
      releasePayment(company, document);
      break;
    case 'Payment/VoidCheck':
      voidPayment(company, document, what.businessDate);
      break;
    case 'JournalTransaction/Release':
      releaseJournal(company, document);
      break;
    default:
      throw businessError(`The ${what.action} action is not available for this record.`);
  }
}

function findDocument(company: Company, entity: Entity, id: string): Document | undefined {
  if (entity.name === 'Invoice') return company.invoices.byId(id);
  if (entity.name === 'Payment') return company.payments.byId(id);
  return company.batches.byId(id);
}
