import type { Ports } from '../../lib/connector.ts';
import type { Catalog } from '../../lib/contracts/integration.ts';
import type { World } from '../world.ts';

/** A guard that is taken away, from outside: by what stands between the engine and its ports, or by a flow that lost a part. */
export interface Sabotage {
  readonly name: string;
  readonly about: string;
  ports?(ports: Ports, world: World | undefined): Ports;
  catalog?(catalog: Catalog): Catalog;
}
