import { DeleteItemCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';

const dynamodb = new DynamoDBClient({ maxAttempts: 1 });
const sqs = new SQSClient({ maxAttempts: 1 });
const secrets = new SecretsManagerClient({ maxAttempts: 1 });
const { TABLE: TableName = '', LIVE, PARKED, SECRET } = process.env;
const started = process.hrtime.bigint().toString();

interface Context {
  readonly awsRequestId: string;
  readonly functionName: string;
  getRemainingTimeInMillis(): number;
}
type Event = Readonly<Record<string, unknown>>;

const actions: Readonly<Record<string, (event: Event, context: Context) => unknown>> = {
  sleep: () => new Promise((resolve) => setTimeout(resolve, 60_000)),
  nap: async (event) => {
    console.log(`napping ${String(event['name'])}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    return started;
  },
  crash: () => process.exit(1),
  throw: () => {
    throw new TypeError('as asked');
  },
  context: (_event, context) => ({
    requestId: context.awsRequestId,
    name: context.functionName,
    leftMs: context.getRemainingTimeInMillis(),
    memory: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    trace: process.env['_X_AMZN_TRACE_ID'],
    home: process.env['HOME'] ?? 'none',
    extra: process.env['EXTRA'] ?? 'none',
  }),
  secret: async () => (await secrets.send(new GetSecretValueCommand({ SecretId: SECRET }))).SecretString?.length,
  read: () => dynamodb.send(new GetItemCommand({ TableName, Key: { pk: { S: 'x' } } })),
  delete: () => dynamodb.send(new DeleteItemCommand({ TableName: 'another', Key: { pk: { S: 'x' } } })),
  big: () => 'x'.repeat(7 * 1024 * 1024),
};

export async function handler(event: Event, context: Context): Promise<unknown> {
  const action = actions[String(event['do'])];
  if (action) return action(event, context);
  const { routeKey, body, isBase64Encoded, pathParameters, queryStringParameters, cookies, headers } = event;
  if (routeKey === 'POST /webhooks/{system}') {
    const text = Buffer.from(String(body ?? ''), isBase64Encoded ? 'base64' : 'utf8').toString('latin1');
    const { id, queue } = text.startsWith('{') ? JSON.parse(text) : { id: 'raw', queue: undefined };
    if (id !== 'raw') {
      await dynamodb.send(new PutItemCommand({ TableName, Item: { pk: { S: `taken ${id}` } } }));
      await sqs.send(new SendMessageCommand({ QueueUrl: queue === 'parked' ? PARKED : LIVE, MessageBody: text }));
    }
    const seen = {
      body,
      isBase64Encoded,
      pathParameters,
      queryStringParameters,
      cookies,
      two: (headers as Record<string, string>)['x-two'],
    };
    return { statusCode: 202, headers: { 'content-type': 'application/json' }, cookies: ['a=1', 'b=2'], body: JSON.stringify(seen) };
  }
  return { operation: pathParameters, context: event['requestContext'] };
}
