import type { Ports } from '../../lib/connector.ts';
import type { Feed, Flow, PostFlow, PostTarget } from '../../lib/contracts/flow.ts';
import type { Catalog } from '../../lib/contracts/integration.ts';
import type { Leased } from '../../lib/contracts/link.ts';
import type { LinkStore } from '../../lib/ports/link-store.ts';
import type { StateStore } from '../../lib/ports/state-store.ts';

/** A guard that is taken away, from outside: between the engine and its ports, or as a flow that lost a part. Product code has no such switch. */
export interface Sabotage {
  readonly name: string;
  readonly about: string;
  /** The oracle notices within so many seeds of 200 changes, counted from seed 1. CI runs them. */
  readonly within: number;
  ports?(ports: Ports): Ports;
  catalog?(catalog: Catalog): Catalog;
}

const anyPost = (flow: Flow): flow is Extract<Flow, { kind: 'post' }> => flow.kind === 'post';

/** The flows of every integration, changed by `change`. */
function withFlows(catalog: Catalog, change: (flow: Flow) => Flow): Catalog {
  return { ...catalog, integrations: catalog.integrations.map((one) => ({ ...one, flows: one.flows.map(change) })) };
}

/** A change of how post flows write, for documents and for what reverses them. */
function withTargets(catalog: Catalog, change: (target: PostTarget<unknown, never>) => PostTarget<unknown, never>): Catalog {
  return withFlows(catalog, (flow) => {
    if (!anyPost(flow)) return flow;
    const post = flow as PostFlow<unknown, unknown, unknown, never>;
    return { ...post, target: change(post.target) } as unknown as Flow;
  });
}
