import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';

const dynamodb = new DynamoDBClient({ maxAttempts: 1 });

interface Event {
  readonly Records?: readonly {
    readonly messageId: string;
    readonly body: string;
    readonly attributes: Readonly<Record<string, string>>;
  }[];
  readonly tick?: string;
}

/** Writes what succeeds, reports what is to fail. */
export async function handler(event: Event): Promise<unknown> {
  if (event.tick !== undefined) return console.log(`tick ${event.tick}`);
  const batchItemFailures: { readonly itemIdentifier: string }[] = [];
  for (const record of event.Records ?? []) {
    const { id, outcome } = JSON.parse(record.body);
    if (outcome === 'fail') batchItemFailures.push({ itemIdentifier: record.messageId });
    else await dynamodb.send(new PutItemCommand({ TableName: process.env['TABLE'], Item: { pk: { S: `done ${id}` } } }));
    console.log(`${outcome === 'fail' ? 'failed' : 'done'} ${id} on delivery ${record.attributes['ApproximateReceiveCount']}`);
  }
  return { batchItemFailures };
}
