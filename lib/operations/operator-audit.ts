import type { Connector } from '../connector.ts';
import type { Json } from '../values/json.ts';
import type { Operator } from './operation.ts';

/** Writes down what a person did. `record` is the reference of the record it concerns, or nothing when it concerns the whole integration. */
export async function recordOperation(
  connector: Connector,
  act: {
    readonly integration: string;
    readonly operator: Operator;
    readonly sentence: string;
    readonly record?: string;
    readonly after?: Json;
    readonly before?: Json;
  },
): Promise<void> {
  const { clock, ids, audit } = connector.ports;
  await audit.append([
    {
      id: ids.next(),
      at: clock.now().toISOString(),
      integration: act.integration,
      record: act.record ?? `${act.integration}|*`,
      cause: 'operator',
      outcome: 'operator',
      sentence: act.sentence,
      operator: act.operator.name,
      ...(act.before === undefined ? {} : { before: act.before }),
      ...(act.after === undefined ? {} : { after: act.after }),
    },
  ]);
}
