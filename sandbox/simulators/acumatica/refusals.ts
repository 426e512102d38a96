import type { Row } from './rows.ts';

/** An answer that is not the one asked for, as HTTP status and JSON body. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, body: unknown) {
    super(`HTTP ${status}`);
    this.status = status;
    this.body = body;
  }
}

/** The vendor's error object for everything that is not about one field. */
export function httpError(status: number, exceptionType: string, exceptionMessage: string): Refusal {
  return new Refusal(status, {
    message: 'An error has occurred.',
    exceptionMessage,
    exceptionType,
    stackTrace: `   at ${exceptionType.split('.').slice(0, -1).join('.')}.Simulated()\r\n   at PX.Api.ContractBased.SimulatedController.Execute()`,
  });
}

export const noEntity = (): Refusal =>
  httpError(500, 'PX.Api.ContractBased.NoEntitySatisfiesTheConditionException', 'No entity satisfies the condition.');

export const notFound = (path: string): Refusal =>
  new Refusal(404, {
    message: `No HTTP resource was found that matches the request URI '${path}'.`,
    messageDetail: 'No route data was found for this request.',
  });

export const badRequest = (message: string, member = ''): Refusal =>
  new Refusal(400, { message: 'The request is invalid.', modelState: { [member]: [message] } });

export const preconditionFailed = (): Refusal => new Refusal(412, { message: 'The precondition of the request is not met.' });

export const lockViolation = (table: string): Refusal =>
  httpError(
    500,
    'PX.Data.PXLockViolationException',
    `Error: Another process has updated the '${table}' record. Your changes will be lost.`,
  );

export const actionDisabled = (action: string): Refusal =>
  httpError(500, 'PX.Data.PXActionDisabledException', `Error: The ${action} button is disabled.`);

export const businessError = (message: string): Refusal => httpError(500, 'PX.Data.PXException', `Error: ${message}`);

/** Complaints of the form about fields of one record and its rows. They travel in a copy of the record (HTTP 422). */
export class Problems {
  readonly #byRow = new Map<Row, Map<string, string>>();

  add(row: Row, field: string, message: string): void {
    const complaints = this.#byRow.get(row) ?? new Map<string, string>();
    if (!complaints.has(field)) complaints.set(field, message);
    this.#byRow.set(row, complaints);
  }

  get any(): boolean {
    return this.#byRow.size > 0;
  }

  /** All complaints in one line, for whoever is not on the wire. */
  sentence(): string {
    return [...this.#byRow.values()].flatMap((fields) => [...fields].map(([field, message]) => `${field}: ${message}`)).join('; ');
  }

  of(row: Row): ReadonlyMap<string, string> | undefined {
    return this.#byRow.get(row);
  }
}

/** Thrown when a record has problems; the answer is written where the endpoint version is known. */
export class RecordRefused extends Error {
  readonly row: Row;
  readonly problems: Problems;
  readonly inserting: boolean;

  constructor(row: Row, problems: Problems, inserting: boolean) {
    super('the record raised at least one error');
    this.row = row;
    this.problems = problems;
    this.inserting = inserting;
  }
}

export const cannotBeFound = (label: string): string => `'${label}' cannot be found in the system.`;
export const cannotBeEmpty = (label: string): string => `'${label}' cannot be empty.`;
