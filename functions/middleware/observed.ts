import type { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import type { MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import { asFailure } from '../../lib/failures.ts';
import { flushMetrics } from '../compose.ts';

/** Left over for answering and for the work in progress to store how far it came. */
const marginMs = 10_000;

/** The instant before which work has to be put down. A function with little time keeps at least a second of it. */
export function deadlineOf(context: Context): Date {
  return new Date(Date.now() + Math.max(1000, context.getRemainingTimeInMillis() - marginMs));
}

/** Log context, metrics at the end, and one error line for whatever escapes. The event itself, which holds bodies, is never logged. */
export function observed(logger: Logger): MiddlewareObj<unknown, unknown, Error, Context> {
  const context = injectLambdaContext(logger, { logEvent: false, resetKeys: true });
  return {
    before: async (request) => context.before?.(request),
    after: async (request) => {
      await flushMetrics();
      await context.after?.(request);
    },
    onError: async (request) => {
      const { kind, cause, sentence, said } = asFailure(request.error).record;
      logger.error('function.failed', { kind, cause, sentence, said });
      await flushMetrics();
      await context.onError?.(request);
    },
  };
}
