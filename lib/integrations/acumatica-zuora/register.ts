import type { CheckResult } from '../../contracts/vendor.ts';
import type { Side } from '../../values/record-ref.ts';
import { calloutEvents } from '../../vendors/zuora/callout-events.ts';
import type { RegistrationAsk } from '../../vendors/zuora/client.ts';
import type { PairContext } from './context.ts';

/** Callouts and event triggers in Zuora. Acumatica has nothing to register: nothing flows from it. */

const addressName = 'registered-address';
const yearMs = 365 * 24 * 3_600_000;

/**
 * Creates or repairs callout templates, definitions and event triggers by name; where the API user may not, answers what a person does by hand.
 * May be repeated at any time.
 */
export async function registerPair(context: PairContext, side: Side, url: string): Promise<readonly string[]> {
  if (side === 'a') return ['Acumatica needs no registration: nothing flows from it.'];
  await context.forget(addressName);
  await context.cached(addressName, yearMs, async () => url);
  return context.zuora.registerCallouts(await askFor(context, url));
}

/** Check Z6. The address is the one of the last registration. */
export async function inspectRegistration(context: PairContext): Promise<readonly CheckResult[]> {
  const url = await context.cached<string | null>(addressName, yearMs, async () => null);
  if (url !== null) return context.zuora.inspectCallouts(await askFor(context, url));
  return [
    {
      id: 'Z6',
      level: 'amber',
      sentence: 'No callouts were registered yet: documents arrive by poll only.',
      fix: 'Run `connect register` for this integration.',
    },
  ];
}

async function askFor(context: PairContext, url: string): Promise<RegistrationAsk> {
  const settlement = await context.hasInvoiceSettlement();
  const events = calloutEvents.filter((event) => settlement || event.settlement !== true).map((event) => event.name);
  return { integration: integrationIn(url), url, events };
}

/** The address says which integration it is for: several of them may share one Zuora tenant, and the names there must not collide. */
function integrationIn(url: string): string {
  return /\/webhooks\/([^/?#]+)/.exec(url)?.[1] ?? 'acumatica-zuora';
}
