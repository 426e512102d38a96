import * as z from 'zod';
import { ControlError } from '../kit.ts';
import { profileId } from './accounts.ts';
import { Refused } from './failures.ts';
import { registerCallouts } from './notifications/register.ts';
import type { Delivery } from './notifications/rows.ts';
import { sign } from './notifications/signing.ts';
import type { Stage } from './stage.ts';

type Action = (stage: Stage, input: unknown) => unknown;
type Define = <T>(schema: z.ZodType<T>, run: (stage: Stage, input: T) => unknown) => Action;

const count = z.number().int().min(0);

export function calloutActions(action: Define): Readonly<Record<string, Action>> {
  return {
    /** `{url, secret, events?, profiles?}`: templates and definitions for all our events, ids-only bodies, HMAC SHA-256 BASE64. */
    'register-callouts': action(
      z.strictObject({
        url: z.string().min(1),
        secret: z.string().min(1),
        events: z.array(z.string()).optional(),
        /** Ids, numbers or names of communication profiles; absent: all. */
        profiles: z.array(z.string()).optional(),
      }),
      ({ tenant, callouts }, { profiles, ...rest }) => {
        try {
          return registerCallouts(tenant, callouts, { ...rest, profiles: profiles?.map((profile) => profileId(tenant, profile)) });
        } catch (error) {
          if (error instanceof Refused || error instanceof z.ZodError) throw new ControlError(error.message);
          throw error;
        }
      },
    ),
    /** `{count}`: the next callouts are never sent. */
    'lose-callouts': action(z.strictObject({ count }), ({ callouts }, input) => {
      callouts.trouble.lose = input.count;
    }),
    /** `{count, ms}`: the next callouts leave that much later. */
    'delay-callouts': action(z.strictObject({ count, ms: count }), ({ callouts }, input) => {
      callouts.trouble.delay = input.count;
      callouts.trouble.delayMs = input.ms;
    }),
    /** `{on}`: due callouts are sent newest first. */
    'reorder-callouts': action(z.strictObject({ on: z.boolean() }), ({ callouts }, { on }) => {
      callouts.trouble.reorder = on;
    }),
    /** `{number, times?, newNotificationId?}`: callouts about an object once more; the same notification id unless asked otherwise. */
    'repeat-callouts': action(
      z.strictObject({ number: z.string(), times: count.default(1), newNotificationId: z.boolean().default(false) }),
      ({ tenant, callouts }, { number, times, newNotificationId }) => {
        const sent = callouts.deliveries
          .all()
          .filter((delivery) => delivery.objectId === number || Object.values(delivery.context).includes(number));
        if (sent.length === 0) throw new ControlError(`no callout was made for ${number}`);
        for (const delivery of sent) {
          for (let time = 0; time < times; time += 1) {
            const id = newNotificationId ? { notificationId: tenant.randomHex(32) } : {};
            const dueAt = tenant.world.clock.now().toISOString();
            callouts.deliveries.put({ ...delivery, ...tenant.stamp(), ...id, attempts: 0, state: 'waiting', dueAt } satisfies Delivery);
          }
        }
        return { queued: sent.length * times };
      },
    ),
    /** `{url, body, headers?, secret?}`: sent now by somebody who is not Zuora; with `secret` signed as our templates are. */
    'forge-callout': action(
      z.strictObject({
        url: z.string(),
        body: z.string(),
        headers: z.record(z.string(), z.string()).default({}),
        secret: z.string().optional(),
      }),
      async ({ tenant }, { url, body, headers, secret }) => {
        const signed = secret === undefined ? {} : { 'x-zuora-signature': sign('SHA-256', secret, body, 'BASE64') };
        const all = { 'content-type': 'application/json', 'zuora-notification-id': tenant.randomHex(32), ...signed, ...headers };
        const response = await tenant.world.fetch(new Request(url, { method: 'POST', headers: all, body }));
        return { status: response.status, body: await response.text() };
      },
    ),
    /** `{name}`: of a notification definition; it stays, but fires no more. */
    'deactivate-definition': action(z.strictObject({ name: z.string() }), ({ tenant, callouts }, { name }) => {
      const definitions = callouts.definitions.all().filter((definition) => definition.name === name);
      if (definitions.length === 0) throw new ControlError(`no notification definition ${name}`);
      for (const definition of definitions) callouts.definitions.put({ ...definition, active: false, updatedAt: tenant.now() });
    }),
    /** Sends what is due on the clock. */
    'deliver-callouts': action(z.strictObject({}), async (stage) => ({ attempts: await stage.deliverDue() })),
  };
}
