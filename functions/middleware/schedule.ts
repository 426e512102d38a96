import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { Failure } from '../../lib/failures.ts';
import { logger } from '../compose.ts';
import { deadlineOf, observed } from './observed.ts';

const tick = z.object({ integration: z.string() });

function integrationOf(event: unknown): string {
  const parsed = tick.safeParse(event);
  if (parsed.success) return parsed.data.integration;
  throw new Failure('ConfigurationInvalid', {
    cause: 'schedule',
    actor: 'us',
    sentence: 'The function was called without the name of an integration.',
    fix: 'Its schedule sends { "integration": "NAME" }; who calls it by hand sends the same.',
  });
}

/** A tick of the scheduler, naming the integration it is for. */
export function scheduleEntry(work: (integration: string, deadline: Date) => Promise<void>) {
  return middy<unknown, void, Error, Context>()
    .use(observed(logger))
    .handler(async (event, context) => work(integrationOf(event), deadlineOf(context)));
}
