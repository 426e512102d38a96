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
  /** The oracle notices within so many seeds of 100 changes, the first of them being `from`. CI runs them. */
  readonly from: number;
  readonly within: number;
  ports?(ports: Ports): Ports;
  catalog?(catalog: Catalog): Catalog;
}

const anyPost = (flow: Flow): flow is Extract<Flow, { kind: 'post' }> => flow.kind === 'post';

/** The flows of every integration, changed by `change`. */
function withFlows(catalog: Catalog, change: (flow: Flow) => Flow): Catalog {
  return { ...catalog, integrations: catalog.integrations.map((one) => ({ ...one, flows: one.flows.map(change) })) };
}

/** Flows whose documents carry a marker of their own. */
const marked: ReadonlySet<string> = new Set(['invoices', 'credit-memos', 'payments']);

/** A change of how documents are written. */
function withTargets(catalog: Catalog, change: (target: PostTarget<unknown, never>) => PostTarget<unknown, never>): Catalog {
  return withFlows(catalog, (flow) => {
    if (!anyPost(flow) || !marked.has(flow.id)) return flow;
    const post = flow as PostFlow<unknown, unknown, unknown, never>;
    return { ...post, target: change(post.target) } as Flow;
  });
}

/** Links as a store answers them, changed by `change` on their way to the engine. */
function readingLinks(links: LinkStore, change: (leased: Leased['link']) => Leased['link']): LinkStore {
  return wrapped(links, {
    async findMany(records) {
      return new Map([...(await links.findMany(records))].map(([name, link]) => [name, change(link)]));
    },
    async lease(records, lease) {
      const leased = await links.lease(records, lease);
      return new Map([...leased].map(([name, one]) => [name, 'busy' in one ? one : { ...one, link: change(one.link) }]));
    },
  });
}

/** A port with some of its functions replaced; the others stay its own. */
function wrapped<Port extends object>(port: Port, replaced: Partial<Port>): Port {
  return new Proxy(port, {
    get(target, member) {
      const value: unknown = Reflect.get(replaced, member) ?? Reflect.get(target, member, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** The mapped state of a credit memo as it was last written is forgotten: every look finds it changed. */
const forgetWritten = (link: Leased['link']): Leased['link'] => {
  if (!link.origin.flow.endsWith('.credit-memos')) return link;
  const { headers: _headers, base: _base, ...kept } = link;
  const postings = (link.postings ?? []).map((posting) => ({ ...posting, draft: withoutContent(posting.draft) }));
  return { ...kept, ...(link.postings === undefined ? {} : { postings }) } as Leased['link'];
};

function withoutContent(draft: unknown): unknown {
  if (draft === null || typeof draft !== 'object') return draft;
  return { ...draft, content: 'forgotten' };
}

/** The right to write belongs to whoever holds the newest fence; here everybody may use it. */
function withoutFences(links: LinkStore): LinkStore {
  const newest = new Map<string, number>();
  const nameOf = ({ origin }: Leased['link']): string => `${origin.flow}|${origin.side}|${origin.key}`;
  async function asNewest(leased: Leased, write: (leased: Leased) => Promise<void>): Promise<void> {
    try {
      await write({ ...leased, fence: newest.get(nameOf(leased.link)) ?? leased.fence });
    } catch {
      const now = new Date(leased.link.updatedAt);
      const taken = [
        ...(await links.lease([leased.link.origin], { owner: 'anybody', until: new Date(now.getTime() + 60_000), now })).values(),
      ][0];
      if (taken === undefined || 'busy' in taken) throw new Error('nobody may write now');
      await write({ ...leased, fence: taken.fence });
    }
  }
  return wrapped(links, {
    async lease(records, lease) {
      const leased = await links.lease(records, lease);
      for (const one of leased.values()) if (!('busy' in one)) newest.set(nameOf(one.link), one.fence);
      return leased;
    },
    save: (leased, options) => asNewest(leased, (one) => links.save(one, options)),
    commit: (leased, audit) => asNewest(leased, (one) => links.commit(one, audit)),
  });
}

/** Notices are never known again. */
function withoutMemory(state: StateStore): StateStore {
  return wrapped(state, {
    put: (key, value, options) => {
      if (!key.partition.startsWith('notice|')) return state.put(key, value, options);
      const { expect: _always, ...rest } = options ?? {};
      return state.put(key, value, rest);
    },
  });
}

const withoutOverlap = (feed: Feed<unknown, never>): Feed<unknown, never> => ({ ...feed, overlapMs: 0 });

/** Guards of the connector, one switch each. */
export const sabotages: readonly Sabotage[] = [
  {
    name: 'dedupe',
    about: 'A webhook that comes again is not recognised by its id.',
    from: 1,
    within: 1,
    ports: (ports) => ({ ...ports, state: withoutMemory(ports.state) }),
  },
  {
    name: 'echo',
    about: 'What was written last is not remembered, so that a record never looks unchanged.',
    from: 1,
    within: 1,
    ports: (ports) => ({ ...ports, links: readingLinks(ports.links, forgetWritten) }),
  },
  {
    name: 'marker',
    about: 'A document is not looked for by its marker before it is created.',
    from: 1,
    within: 5,
    catalog: (catalog) =>
      withTargets(catalog, (target) => ({
        ...target,
        async locate(context, asks) {
          const located = new Map(await target.locate(context, asks));
          for (const { draft, posting } of asks) if (posting?.target === undefined) located.set(target.marker(draft), { is: 'none' });
          return located;
        },
        looksAfterMs: [],
      })),
  },
  {
    name: 'fence',
    about: 'A worker whose lease was taken over may still write the link.',
    from: 1,
    within: 20,
    ports: (ports) => ({ ...ports, links: withoutFences(ports.links) }),
  },
  {
    name: 'version',
    about: 'A row that was read before the link was last written counts as the present one.',
    from: 1,
    within: 20,
    ports: (ports) => ({
      ...ports,
      queue: (name) => {
        const queue = ports.queue(name);
        return wrapped(queue, {
          send: (kind, messages) =>
            queue.send(
              kind,
              messages.map(({ body, ...rest }) => ({
                ...rest,
                body: {
                  ...body,
                  changes: body.changes.map(({ snapshot, ...change }) => ({
                    ...change,
                    ...(snapshot === undefined ? {} : { snapshot: { ...snapshot, readAt: '2029-01-01T00:00:00.000Z' } }),
                  })),
                },
              })),
            ),
        });
      },
    }),
  },
  {
    name: 'overlap',
    about: 'A poll begins exactly where the one before ended.',
    from: 1,
    within: 10,
    catalog: (catalog) =>
      withFlows(catalog, (flow) => {
        if (!anyPost(flow)) return flow;
        const { source } = flow;
        return {
          ...flow,
          source: { ...source, feeds: (context) => source.feeds(context).map((feed) => withoutOverlap(feed as never) as never) },
        } as Flow;
      }),
  },
  {
    name: 'verification',
    about: 'What was written is not compared with what was meant.',
    from: 1,
    within: 10,
    catalog: (catalog) => withTargets(catalog, (target) => ({ ...target, verify: () => [] })),
  },
];
