import { startRunner } from '../rehearsal/runner.ts';
import { passingClock, timeVariables } from './passing-time.ts';
import { type Order, orderSchema, type RunnerSettings, settingsSchema } from './runner-orders.ts';

/** The runner: the stack's functions, queues and tables, in a process that is killed and started again on the same folder. */
const settings: RunnerSettings = settingsSchema.parse(JSON.parse(process.argv[2] ?? '{}'));
const runner = await startRunner({
  assembly: settings.assembly,
  state: settings.state,
  ports: settings.ports,
  clock: passingClock,
  environment: { '*': timeVariables(settings.timeFile) },
});
if (settings.secrets !== undefined) for (const [name, fields] of Object.entries(settings.secrets)) await putSecret(name, fields);

process.on('message', (message) => void obey(orderSchema.parse(message)));
process.on('disconnect', () => process.exit());
process.send?.({
  ready: {
    apiUrl: runner.apiUrl,
    region: runner.region,
    operator: runner.operator,
    functions: runner.functions.map(({ logicalId }) => logicalId),
  },
});

function obey(order: Order): void {
  const answer = 'kill' in order ? runner.kill(order.kill) : order.depth.map((name) => runner.sqs.depth(name));
  process.send?.({ answer: { id: order.id, value: answer } });
}

/** As an administrator would put credentials, in the service's own words. */
async function putSecret(name: string, fields: Readonly<Record<string, string>>): Promise<void> {
  const response = await fetch(runner.urls.secretsManager, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'secretsmanager.PutSecretValue',
      authorization: `AWS4-HMAC-SHA256 Credential=${runner.operator.accessKeyId}/20260101/${runner.region}/secretsmanager/aws4_request, SignedHeaders=host, Signature=x`,
    },
    body: JSON.stringify({ SecretId: name, SecretString: JSON.stringify(fields), ClientRequestToken: crypto.randomUUID() }),
  });
  if (!response.ok) throw new Error(`the secret ${name} could not be put: ${response.status} ${await response.text()}`);
}
