import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { ReceivedMessage } from '../../lib/engine/running.ts';
import { logger } from '../compose.ts';
import { deadlineOf, observed } from './observed.ts';

/**
 * A queue batch. The work gets every message and says which of them are to be delivered again; a failure of the whole batch delivers all of them
 * again, which the engine survives. `queueName` is the last part of the queue's ARN.
 */
export function queueEntry(
  work: (
    messages: readonly ReceivedMessage[],
    given: { readonly deadline: Date; readonly queueName: string },
  ) => Promise<{ readonly failed: readonly string[] }>,
) {
  return middy<SQSEvent, SQSBatchResponse, Error, Context>()
    .use(observed(logger))
    .handler(async (event, context) => {
      const messages = event.Records.map((record) => ({
        id: record.messageId,
        body: record.body,
        receiveCount: Number(record.attributes.ApproximateReceiveCount),
      }));
      const queueName = event.Records[0]?.eventSourceARN.split(':').at(-1) ?? '';
      const { failed } = await work(messages, { deadline: deadlineOf(context), queueName });
      return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
    });
}
