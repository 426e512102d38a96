import type { Link, LinkState } from '../contracts/link.ts';
import { integrationOf, refText } from '../values/record-ref.ts';

/** States whose links are listed by themselves: few among many settled ones. */
const listed: ReadonlySet<LinkState> = new Set(['held', 'waiting', 'working']);

interface Entry {
  readonly origin: string;
  /** Where it stands in the list of its state. */
  readonly place: string;
}

/** Which links are held, waiting or working, and for what, so that a look at them does not read every link there is. */
export class LinkIndex {
  readonly #lists = new Map<string, Map<string, Entry>>();
  readonly #namesOf = new Map<string, readonly string[]>();

  put(link: Link): void {
    const origin = refText(link.origin);
    this.remove(origin);
    if (!listed.has(link.state)) return;
    const { trouble } = link;
    const reason = link.state === 'waiting' ? trouble?.dependency : trouble?.cause;
    const all = nameOf(integrationOf(link.origin.flow), link.state);
    const names = reason === undefined ? [all] : [all, `${all}|${reason}`];
    const entry = { origin, place: `${trouble?.dependency ?? trouble?.cause ?? ''}\t${origin}` };
    for (const name of names) {
      const list = this.#lists.get(name) ?? new Map<string, Entry>();
      this.#lists.set(name, list);
      list.set(origin, entry);
    }
    this.#namesOf.set(origin, names);
  }

  remove(origin: string): void {
    for (const name of this.#namesOf.get(origin) ?? []) {
      const list = this.#lists.get(name);
      list?.delete(origin);
      if (list?.size === 0) this.#lists.delete(name);
    }
    this.#namesOf.delete(origin);
  }

  /** Entries of a state, or of one reason of it: the missing record of `waiting`, the cause of `held`. */
  entries(integration: string, state: LinkState, reason?: string): readonly Entry[] {
    const all = nameOf(integration, state);
    return [...(this.#lists.get(reason === undefined ? all : `${all}|${reason}`)?.values() ?? [])];
  }
}

const nameOf = (integration: string, state: LinkState): string => `${integration}|${state}`;
