import * as z from 'zod';
import { defineOperation, integrationName, integrationsOf } from './operation.ts';
import { recordOperation } from './operator-audit.ts';

export interface Registered {
  readonly integration: string;
  readonly system: string;
  /** Where that system sends its webhooks. */
  readonly url: string;
  /** What was done there, or what a person does where its API cannot. */
  readonly lines: readonly string[];
}

const address = z.url({ protocol: /^https?$/, error: 'must be the address of the deployment: https://….execute-api.….amazonaws.com' });

/** Registers the webhooks of each system that sends some, or says how a person does. Running it again repairs what was changed there. */
export const register = defineOperation({
  name: 'register',
  summary: 'Register the webhooks at the systems that send them, or say how to.',
  input: z.strictObject({ integration: integrationName, origin: address }),
  changes: true,
  async run(connector, request, operator) {
    const registered: Registered[] = [];
    for (const running of integrationsOf(connector, request.integration)) {
      const { definition, name: integration } = running;
      const { context } = await running.open();
      for (const side of ['a', 'b'] as const) {
        const { key: system, title, webhooks } = definition.sides[side];
        if (webhooks === undefined) continue;
        const url = `${new URL(request.origin).origin}/webhooks/${integration}/${system}`;
        const lines = (await definition.register?.(context, side, url)) ?? [
          `Register this address at ${title}: its API does not allow it from here.`,
        ];
        registered.push({ integration, system, url, lines });
        await recordOperation(connector, {
          integration,
          operator,
          sentence: `${operator.name} registered the webhooks of ${title} at ${url}.`,
          after: [...lines],
        });
      }
    }
    return { registered };
  },
});
