import { runBilling } from './billing-run.ts';
import { runSize } from './billing-run-company.ts';
import { callMeasures, idleMeasures, queueMeasures, rateMeasures } from './billing-run-measures.ts';
import { startDynamoStores } from './dynamo-stores.ts';
import type { Measure } from './measure.ts';

const fullRun = 10_000;
const part = 10;
/** Units per record do not depend on how many records there are: they are counted on a smaller run, against real stores over HTTP. */
const unitRun = 1_000;
const quietMs = 45 * 60_000;

/** The billing run in virtual time: calls, rate, queues, wall time, and the polls after it. */
export async function measureBillingRun(options: { readonly quick: boolean }): Promise<readonly Measure[]> {
  const size = runSize(options.quick ? fullRun / part : fullRun);
  const run = await runBilling(size);
  const polls = {
    'poll again': await run
      .count(async () => {
        await run.world.pass(quietMs);
      })
      .then(() => run.count(() => run.world.poll())),
    'list everything again': await run.count(() => run.world.poll({ backfill: true })),
  };
  const wall: Measure = {
    measure: 'wall time of the run',
    value: run.wallMs / 1000,
    unit: 's',
    limit: { atMost: options.quick ? 90 : 900 },
    about: `${size.invoices} invoices with 3 lines, ${size.payments} payments, ${size.creditMemos} credit memos, ${size.accounts} accounts: connector, both vendors and all stores in one process.`,
  };
  return [...callMeasures(run), ...queueMeasures(run), ...rateMeasures(run), wall, ...idleMeasures(polls)];
}

/** Read and write units of DynamoDB, as AWS bills them. */
export async function measureDynamoUnits(options: { readonly quick: boolean }): Promise<readonly Measure[]> {
  const size = runSize(options.quick ? unitRun / part : unitRun);
  const stores = await startDynamoStores();
  try {
    await runBilling(size, { ports: (memory, world) => stores.ports(memory, () => world().time) });
    const { read, write } = stores.units();
    const records = size.invoices + size.payments + size.creditMemos;
    return [
      {
        measure: 'DynamoDB write units',
        value: write / records,
        unit: 'units/record',
        limit: { atMost: 45 },
        about: `Of a run of ${size.invoices} invoices. An invoice is leased, announced twice, and committed with its audit entry in one transaction, which counts double.`,
      },
      {
        measure: 'DynamoDB read units',
        value: read / records,
        unit: 'units/record',
        limit: { atMost: 30 },
        about: 'Links read in bulk, waiting lists, shared state.',
      },
    ];
  } finally {
    await stores.close();
  }
}
