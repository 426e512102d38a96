import type { Connector } from '../connector.ts';
import type { AuditEntry } from '../contracts/audit.ts';
import type { Json } from '../values/json.ts';
import { type RecordRef, refText } from '../values/record-ref.ts';
import type { Operator } from './operation.ts';

interface Act {
  readonly integration: string;
  readonly operator: Operator;
  readonly sentence: string;
  /** The record it concerns; with `flow` alone the whole flow; without both the whole integration. */
  readonly record?: RecordRef;
  readonly flow?: string;
  readonly label?: string | undefined;
  readonly before?: Json | undefined;
  readonly after?: Json | undefined;
}

/** The line that says what a person did. */
export function operatorEntry(connector: Connector, act: Act): AuditEntry {
  const { clock, ids } = connector.ports;
  const { record, flow, integration } = act;
  return {
    id: ids.next(),
    at: clock.now().toISOString(),
    integration,
    record: record === undefined ? `${flow === undefined ? integration : `${integration}.${flow}`}|*` : refText(record),
    cause: 'operator',
    outcome: 'operator',
    sentence: act.sentence,
    operator: act.operator.name,
    ...(act.label === undefined ? {} : { label: act.label }),
    ...(act.before === undefined ? {} : { before: act.before }),
    ...(act.after === undefined ? {} : { after: act.after }),
  };
}

/** Writes down what a person did, where no link is written with it. */
export async function recordOperation(connector: Connector, act: Act): Promise<void> {
  await connector.ports.audit.append([operatorEntry(connector, act)]);
}
