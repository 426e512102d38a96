import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { logger } from '../compose.ts';
import { deadlineOf, observed } from './observed.ts';

const tick = z.object({ integration: z.string() });

/** A tick of the scheduler, naming the integration it is for. */
export function scheduleEntry(work: (integration: string, deadline: Date) => Promise<void>) {
  return middy<unknown, void, Error, Context>()
    .use(observed(logger))
    .handler(async (event, context) => work(tick.parse(event).integration, deadlineOf(context)));
}
