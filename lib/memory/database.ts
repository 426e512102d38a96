import type { AuditEntry } from '../contracts/audit.ts';
import type { Leased, Link, LinkState } from '../contracts/link.ts';
import { Failure } from '../failures.ts';
import type { AuditQuery, AuditStore, LinkPage, LinkStore } from '../ports/link-store.ts';
import { integrationOf, type RecordRef, refText } from '../values/record-ref.ts';
import { LinkIndex } from './link-index.ts';

interface Kept {
  /** The link as text, so that nobody changes a stored one by changing an object. */
  text: string;
  fence: number;
  lease: { readonly owner: string; readonly untilMs: number } | undefined;
  /** Other keys of this link that point to it. */
  readonly pointers: Set<string>;
}

const defaultLimit = 100;

/** Links and audit in memory, in one object because a commit writes both or neither. Nothing awaits between check and write. */
export function createMemoryDatabase(): { readonly links: LinkStore; readonly audit: AuditStore } {
  const audit = new MemoryAudit();
  return { links: new MemoryLinks(audit), audit };
}

class MemoryLinks implements LinkStore {
  readonly #audit: MemoryAudit;
  readonly #links = new Map<string, Kept>();
  /** From the text of a key to the origin of its link. */
  readonly #pointers = new Map<string, string>();
  /** Fences outlive their links: a worker that slept while its link was removed and made anew must not pass for the new one's. */
  readonly #fences = new Map<string, number>();
  readonly #index = new LinkIndex();

  constructor(audit: MemoryAudit) {
    this.#audit = audit;
  }

  async findMany(records: readonly RecordRef[]): Promise<ReadonlyMap<string, Link>> {
    const found = new Map<string, Link>();
    for (const record of records) {
      const kept = this.#links.get(this.#originOf(refText(record)));
      if (kept) found.set(refText(record), read(kept));
    }
    return found;
  }

  async lease(
    records: readonly RecordRef[],
    lease: { readonly owner: string; readonly until: Date; readonly now: Date },
  ): Promise<ReadonlyMap<string, Leased | { readonly busy: Date }>> {
    const answers = new Map<string, Leased | { readonly busy: Date }>();
    for (const record of records) {
      const asked = refText(record);
      if (answers.has(asked)) continue;
      const origin = this.#originOf(asked);
      const kept = this.#links.get(origin) ?? fresh(record, lease.now);
      if (kept.lease && kept.lease.untilMs > lease.now.getTime()) {
        answers.set(asked, { busy: new Date(kept.lease.untilMs) });
        continue;
      }
      kept.fence = (this.#fences.get(origin) ?? 0) + 1;
      kept.lease = { owner: lease.owner, untilMs: lease.until.getTime() };
      this.#fences.set(origin, kept.fence);
      this.#links.set(origin, kept);
      answers.set(asked, { link: read(kept), fence: kept.fence });
    }
    return answers;
  }

  async save(leased: Leased, options: { readonly until?: Date } = {}): Promise<void> {
    const kept = this.#held(leased);
    this.#write(kept, leased.link);
    if (options.until && kept.lease) kept.lease = { owner: kept.lease.owner, untilMs: options.until.getTime() };
  }

  async commit(leased: Leased, audit: readonly AuditEntry[]): Promise<void> {
    const kept = this.#held(leased);
    const origin = refText(leased.link.origin);
    const keys = otherKeys(leased.link);
    for (const key of keys) this.#refuseTaken(key, origin);
    for (const key of keys) {
      // A link nobody decided anything about gives way; whoever holds its lease finds it lost.
      this.#links.delete(key);
      this.#index.remove(key);
      this.#pointers.set(key, origin);
      kept.pointers.add(key);
    }
    this.#write(kept, leased.link);
    kept.lease = undefined;
    this.#audit.add(audit);
  }

  async release(leased: readonly Leased[]): Promise<void> {
    let lost: Failure | undefined;
    for (const one of leased) {
      try {
        const kept = this.#held(one);
        kept.lease = undefined;
        if (read(kept).state === 'new') this.#links.delete(refText(one.link.origin));
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        lost = error;
      }
    }
    if (lost) throw lost;
  }

  async remove(leased: Leased, audit: readonly AuditEntry[]): Promise<void> {
    const kept = this.#held(leased);
    for (const key of kept.pointers) this.#pointers.delete(key);
    this.#links.delete(refText(leased.link.origin));
    this.#index.remove(refText(leased.link.origin));
    this.#audit.add(audit);
  }

  async listHeld(
    integration: string,
    options: { readonly cause?: string; readonly after?: string; readonly limit?: number } = {},
  ): Promise<LinkPage> {
    const { cause, ...page } = options;
    return this.#inState(integration, { state: 'held', ...(cause === undefined ? {} : { reason: cause }) }, page);
  }

  async listWaiting(
    integration: string,
    options: { readonly dependency?: string; readonly after?: string; readonly limit?: number } = {},
  ): Promise<LinkPage> {
    const { dependency, ...page } = options;
    return this.#inState(integration, { state: 'waiting', ...(dependency === undefined ? {} : { reason: dependency }) }, page);
  }

  async listWorking(integration: string, options: { readonly after?: string; readonly limit?: number } = {}): Promise<LinkPage> {
    return this.#inState(integration, { state: 'working' }, options);
  }

  async findByLabel(integration: string, label: string): Promise<readonly Link[]> {
    const wanted = label.toLowerCase();
    return this.#all().filter((link) => {
      const text = link.label?.toLowerCase();
      return integrationOf(link.origin.flow) === integration && (text === wanted || text?.startsWith(`${wanted} `) === true);
    });
  }

  async list(flow: string, options: { readonly after?: string; readonly limit?: number } = {}): Promise<LinkPage> {
    const entries = [...this.#links.keys()].filter((origin) => origin.startsWith(`${flow}|`)).map((origin) => ({ origin, place: origin }));
    return this.#page(entries, options);
  }

  #inState(
    integration: string,
    which: { readonly state: LinkState; readonly reason?: string },
    options: { readonly after?: string; readonly limit?: number },
  ): LinkPage {
    return this.#page(this.#index.entries(integration, which.state, which.reason), options);
  }

  #page(
    entries: readonly { readonly origin: string; readonly place: string }[],
    options: { readonly after?: string; readonly limit?: number },
  ): LinkPage {
    const { after, limit = defaultLimit } = options;
    const rest = entries
      .filter(({ place }) => after === undefined || place > after)
      .sort((left, right) => (left.place < right.place ? -1 : 1));
    const taken = rest.slice(0, limit);
    const last = taken.at(-1);
    const links = taken.flatMap(({ origin }) => {
      const kept = this.#links.get(origin);
      return kept === undefined ? [] : [read(kept)];
    });
    return { links, ...(rest.length > limit && last ? { next: last.place } : {}) };
  }

  #write(kept: Kept, link: Link): void {
    kept.text = JSON.stringify(link);
    this.#index.put(link);
  }

  #all(): readonly Link[] {
    return [...this.#links.values()].map(read);
  }

  #originOf(text: string): string {
    return this.#pointers.get(text) ?? text;
  }

  #held(leased: Leased): Kept {
    const kept = this.#links.get(refText(leased.link.origin));
    if (!kept?.lease || kept.fence !== leased.fence) throw leaseLost(leased);
    return kept;
  }

  #refuseTaken(key: string, origin: string): void {
    const pointed = this.#pointers.get(key);
    const own = this.#links.get(key);
    const taken = pointed !== undefined ? pointed !== origin : own !== undefined && read(own).state !== 'new';
    if (taken) throw alreadyLinked(key, pointed ?? key, origin);
  }
}

class MemoryAudit implements AuditStore {
  readonly #entries: AuditEntry[] = [];

  add(entries: readonly AuditEntry[]): void {
    this.#entries.push(...entries.map((entry) => JSON.parse(JSON.stringify(entry)) as AuditEntry));
  }

  async append(entries: readonly AuditEntry[]): Promise<void> {
    this.add(entries);
  }

  async query(query: AuditQuery): Promise<{ readonly entries: readonly AuditEntry[]; readonly next?: string }> {
    const { after, from, integration, limit = defaultLimit, record, to } = query;
    const matching = this.#entries
      .filter((entry) => (record === undefined ? entry.integration === integration : entry.record === record))
      .filter((entry) => (from === undefined || entry.at >= from.toISOString()) && (to === undefined || entry.at <= to.toISOString()))
      .map((entry) => ({ entry, place: `${entry.at}|${entry.id}` }))
      .filter(({ place }) => after === undefined || place > after)
      .sort((left, right) => (left.place < right.place ? -1 : 1));
    const entries = matching.slice(0, limit);
    const last = entries.at(-1);
    return { entries: entries.map(({ entry }) => entry), ...(matching.length > limit && last ? { next: last.place } : {}) };
  }
}

function fresh(origin: RecordRef, now: Date): Kept {
  const link: Link = {
    origin: { flow: origin.flow, side: origin.side, key: origin.key },
    keys: { [origin.side]: origin.key },
    state: 'new',
    updatedAt: now.toISOString(),
  };
  return { text: JSON.stringify(link), fence: 0, lease: undefined, pointers: new Set() };
}

function read(kept: Kept): Link {
  return JSON.parse(kept.text) as Link;
}

/** Texts of all keys of the link but the one it is kept under. */
function otherKeys(link: Link): readonly string[] {
  const { a, b } = link.keys;
  const origin = refText(link.origin);
  return [...(a === undefined ? [] : [{ side: 'a' as const, key: a }]), ...(b === undefined ? [] : [{ side: 'b' as const, key: b }])]
    .map(({ key, side }) => refText({ flow: link.origin.flow, side, key }))
    .filter((text) => text !== origin);
}

function leaseLost(leased: Leased): Failure {
  return new Failure('LeaseLost', {
    sentence: `Another worker took over ${leased.link.label ?? leased.link.origin.key}; this one stopped before writing.`,
  });
}

function alreadyLinked(key: string, other: string, origin: string): Failure {
  return new Failure('NeedsPerson', {
    cause: 'already-linked',
    sentence: `${key} already belongs to the link of ${other}, so ${origin} cannot be linked to it as well.`,
    fix: 'Decide which of the two records is the right one, unlink the other, then replay this one.',
    details: { key, linkedTo: other, wanted: origin },
  });
}
