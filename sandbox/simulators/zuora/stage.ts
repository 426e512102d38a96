import type { CalloutDesk } from './notifications/callouts.ts';
import type { TokenDesk } from './oauth.ts';
import type { Tenant } from './tenant.ts';

/** What a control action can reach. */
export interface Stage {
  readonly tenant: Tenant;
  readonly tokens: TokenDesk;
  readonly callouts: CalloutDesk;
  deliverDue(): Promise<number>;
}
