import * as z from 'zod';
import type { FlowContext, Lens, Located, Memory, MirrorFlow, PostFlow, PostTarget } from '../../lib/contracts/flow.ts';
import type { Integration } from '../../lib/contracts/integration.ts';
import type { Vendor, WebhookReceiver } from '../../lib/contracts/vendor.ts';
import { Failure } from '../../lib/failures.ts';
import { equal, negate } from '../../lib/values/decimal.ts';
import { fingerprint, type Json } from '../../lib/values/json.ts';
import type { Side } from '../../lib/values/record-ref.ts';
import type { Abacus, Page, Person } from './abacus.ts';
import type { Contact, Note, Quill } from './quill.ts';

/** Settings of the invented pair, edited by tests in mid-run. */
export interface Settings {
  accounts: Record<string, string>;
  conflict: 'a-wins' | 'b-wins' | 'newest' | 'hold';
  onAdopt: 'fill-empty' | 'overwrite';
  direction: 'both' | 'a-to-b';
  additive: boolean;
  marked: boolean;
}

export interface Ctx extends FlowContext {
  readonly quill: Quill;
  readonly abacus: Abacus;
  readonly settings: Settings;
}

const noteSchema = z.object({
  id: z.string(),
  number: z.string(),
  person: z.string(),
  amount: z.string(),
  text: z.string(),
  code: z.string(),
  status: z.enum(['open', 'posted', 'void']),
  changedAt: z.string(),
});

const draftSchema = z.object({ mark: z.string(), person: z.string(), amount: z.string(), text: z.string(), account: z.string() });
type Draft = z.infer<typeof draftSchema>;

const remembered = ({ amount, person, text, code }: Note): Json => ({ amount, person, text, code });

const target: PostTarget<Draft, Ctx> = {
  marker: (draft) => draft.mark,
  money: (draft) => ({ amount: draft.amount, currency: 'USD' }),
  sentence: (draft) => `page over ${draft.amount} USD for ${draft.person}`,
  data: (draft) => ({ ...draft }),
  async locate({ abacus }, asks) {
    const pages = await abacus.find(asks.map(({ draft }) => draft.mark));
    return new Map(
      asks.map(({ draft, posting }) => {
        const hits = pages.filter(({ mark }) => mark === draft.mark);
        return [draft.mark, locatedOf(draft, { person: draftSchema.safeParse(posting?.draft).data?.person, ref: posting?.target }, hits)];
      }),
    );
  },
  async prepare({ abacus }, draft, { located }) {
    const page = await abacus.draft(draft, located.is === 'draft' ? located.target : undefined);
    return { target: page.ref, echo: page };
  },
  verify(draft, { echo }) {
    const page = echo as Page;
    return [
      ...(equal(page.amount, draft.amount) ? [] : [{ field: 'amount', sent: draft.amount, got: page.amount }]),
      ...(page.text === draft.text ? [] : [{ field: 'text', sent: draft.text, got: page.text }]),
    ];
  },
  park: ({ abacus }, { target: ref }) => abacus.park(ref),
  commit: ({ abacus }, _draft, ref) => abacus.post(ref),
  async confirm({ abacus }, asks) {
    const pages = await abacus.read(asks.map((ask) => ask.target));
    return new Map(pages.map((page) => [page.ref, page.status === 'posted' ? { is: 'posted' as const } : { is: 'uncommitted' as const }]));
  },
  looksAfterMs: [60_000, 300_000],
};

/** A page that an earlier attempt announced or wrote is ours, even if the note has changed since. */
function locatedOf(
  draft: Draft,
  before: { readonly person: string | undefined; readonly ref: string | undefined },
  hits: readonly Page[],
): Located | Failure {
  const page = hits[0];
  if (page === undefined) return { is: 'none' };
  if (hits.length > 1) {
    return new Failure('NeedsPerson', { cause: 'several-pages', sentence: `Abacus has ${hits.length} pages marked ${draft.mark}.` });
  }
  if (page.person !== draft.person && page.person !== before.person && page.ref !== before.ref) {
    return new Failure('NeedsPerson', { cause: 'foreign-page', sentence: `The page marked ${draft.mark} is for somebody else.` });
  }
  return page.status === 'posted' ? { is: 'posted', target: page.ref } : { is: 'draft', target: page.ref };
}

const liveOf = (memory: Memory) => memory.postings?.find(({ kind, stage }) => kind === 'post' && stage === 'posted');

export const notes: PostFlow<Note, Note, Draft, Ctx> = {
  kind: 'post',
  id: 'notes',
  summary: 'A posted Quill note becomes a posted Abacus page.',
  wakes: { webhooks: ['NotePosted'], pollNow: ['NotesClosed'], poll: 15 },
  from: 'a',
  source: {
    feeds: () => [
      {
        name: 'notes',
        async *list({ quill }, since) {
          for (let after = 0; ; after += quill.pageSize) {
            const rows = await quill.listNotes(since, after);
            if (rows.length > 0) yield rows.map((row) => ({ key: row.id, at: new Date(row.changedAt), row }));
            if (rows.length < quill.pageSize) return;
          }
        },
      },
    ],
    rows: async ({ quill }, keys) => new Map((await quill.readNotes(keys)).map((row) => [row.id, row])),
    row: noteSchema,
    describe: (row) => ({
      key: row.id,
      label: row.number,
      header: fingerprint({ amount: row.amount, person: row.person, text: row.text, code: row.code, status: row.status }),
      money: { amount: row.amount, currency: 'USD' },
    }),
  },
  screen(row, memory) {
    if (row === undefined) throw new Failure('NeedsPerson', { cause: 'source-vanished', sentence: 'The note is no longer in Quill.' });
    if (row.status === 'open') return { is: 'filtered', rule: 'open' };
    if (row.status === 'void' && !memory?.postings) return { is: 'filtered', rule: 'voided' };
    return { is: 'go' };
  },
  gather: async (_context, rows) => new Map(rows.map((row) => [row.id, row])),
  decide(source, memory) {
    const live = liveOf(memory);
    const generations = (memory.postings ?? []).map(({ generation, stage }) => (stage === 'reversed' ? generation + 1 : generation));
    const generation = Math.max(1, ...generations);
    if (source.status === 'void') {
      if (live) return { do: 'reverse', generation: live.generation, on: '2026-03-01', because: 'voided in Quill' };
      return { do: 'settle', outcome: 'unchanged', note: 'reversed' };
    }
    if (live === undefined) return { do: 'post', generation };
    const same = fingerprint(memory.base) === fingerprint(remembered(source));
    if (!same) return { do: 'reverse', generation: live.generation, on: '2026-03-01', because: 'changed in Quill' };
    return { do: 'settle', outcome: 'unchanged' };
  },
  references: (source) => [{ name: 'person', flow: 'people', side: 'a', key: source.person, label: `person ${source.person}` }],
  map(source, move, { links, context }) {
    const account = context.settings.accounts[source.code];
    if (account === undefined) {
      throw new Failure('MappingMissing', {
        cause: `account:${source.code}`,
        sentence: `The code ${source.code} has no account in Abacus.`,
        fix: `Add ${source.code} to accounts.`,
      });
    }
    const mark = move.generation === 1 ? source.number : `${source.number}~${move.generation}`;
    return { mark, person: links.get('person')?.keys.b ?? '', amount: source.amount, text: source.text, account };
  },
  remember: remembered,
  target,
  reversal: {
    map(source, move, { posting }) {
      const was = draftSchema.parse(posting.draft);
      return { ...was, mark: `${source.number}~R${move.generation}`, amount: negate(was.amount), text: `reversal of ${posting.target}` };
    },
    target: target as PostTarget<unknown, Ctx>,
  },
};

interface Fields {
  readonly name: string;
  readonly phone: string;
  readonly points: string;
}

const fieldsOf = ({ name, phone, points }: { name: string; phone: string; points: string }): Fields => ({ name, phone, points });
const headerOf = (row: { name: string; phone: string; points: string }): string => fingerprint(fieldsOf(row));
const textChanges = (changes: Partial<Fields>): Partial<Fields> =>
  Object.fromEntries(Object.entries(changes).map(([field, value]) => [field, value ?? '']));

const quillLens: Lens<Fields, Contact, Ctx> = {
  source: {
    feeds: () => [
      {
        name: 'contacts',
        async *list({ quill }, since) {
          yield (await quill.listContacts(since)).map((row) => ({ key: row.id, at: new Date(row.changedAt), row }));
        },
      },
    ],
    rows: async ({ quill }, keys) => new Map((await quill.readContacts(keys)).map((row) => [row.id, row])),
    row: z.object({
      id: z.string(),
      name: z.string(),
      phone: z.string(),
      points: z.string(),
      parent: z.string().optional(),
      changedAt: z.string(),
    }) as z.ZodType<Contact>,
    describe: (row) => ({ key: row.id, label: `contact ${row.id}`, header: headerOf(row) }),
  },
  read: fieldsOf,
  changedAt: (row) => new Date(row.changedAt),
  async create({ quill }, fields) {
    const row = await quill.addContact({ ...fields });
    return { key: row.id, row };
  },
  update: ({ quill }, key, changes) => quill.changeContact(key, textChanges(changes)),
};

const abacusLens: Lens<Fields, Person, Ctx> = {
  source: {
    feeds: () => [
      {
        name: 'people',
        async *list({ abacus }, since) {
          yield (await abacus.listPeople(since)).map((row) => ({ key: row.key, at: new Date(row.changedAt), row }));
        },
      },
    ],
    rows: async ({ abacus }, keys) => new Map((await abacus.readPeople(keys)).map((row) => [row.key, row])),
    row: z.object({
      key: z.string(),
      name: z.string(),
      phone: z.string(),
      points: z.string(),
      mark: z.string(),
      changedAt: z.string(),
    }) as z.ZodType<Person>,
    describe: (row) => ({ key: row.key, label: `person ${row.key}`, header: headerOf(row) }),
  },
  read: fieldsOf,
  changedAt: (row) => new Date(row.changedAt),
  async create({ abacus, settings }, fields) {
    const row = await abacus.addPerson({ ...fields, mark: settings.marked ? fields.name : '' });
    return { key: row.key, row };
  },
  update: ({ abacus }, key, changes) => abacus.changePerson(key, textChanges(changes)),
  async findByMarker({ abacus, settings }, markers) {
    const found = settings.marked ? await abacus.findPerson(markers) : [];
    return new Map(markers.map((mark) => [mark, found.filter((person) => person.mark === mark)]));
  },
};

export function people(settings: Settings): MirrorFlow<Fields, Contact, Person, Ctx> {
  return {
    kind: 'mirror',
    id: 'people',
    summary: 'Quill contacts and Abacus persons are one list.',
    wakes: { webhooks: ['PersonChanged'], poll: 15 },
    direction: settings.direction,
    fields: z.object({ name: z.string().min(1, 'a person needs a name'), phone: z.string(), points: z.string() }),
    sides: { a: quillLens, b: abacusLens },
    conflict: (context) => context.settings.conflict,
    ...(settings.additive ? { additive: ['points' as const] } : {}),
    screen: () => ({ is: 'go' }),
    marker: (from, fields) => (from === 'a' && settings.marked ? fields.name : undefined),
    async match({ quill, abacus }, from: Side, asks) {
      const found = new Map<string, { key: string; why: string } | 'none' | Failure>();
      for (const { key, fields, decision } of asks) {
        const keys =
          from === 'a'
            ? (await abacus.peopleNamed(fields.name)).map((person) => person.key)
            : (await quill.contactsNamed(fields.name)).map((contact) => contact.id);
        const only = keys[0];
        if (only === undefined || decision === 'create') found.set(key, 'none');
        else if (keys.length === 1) found.set(key, { key: only, why: 'the names are equal' });
        else found.set(key, new Failure('NeedsPerson', { cause: 'ambiguous', sentence: `${keys.length} persons have this name.` }));
      }
      return found;
    },
    onAdopt: settings.onAdopt,
  };
}

const webhooks: WebhookReceiver<unknown> = {
  maxBytes: 1_000,
  async receive(request) {
    const body = z
      .object({ event: z.string(), object: z.string().optional(), id: z.string() })
      .parse(JSON.parse(new TextDecoder().decode(request.body)));
    if (request.headers['x-proof'] !== 'right') throw new Failure('SignatureRejected', { sentence: 'The proof is wrong.' });
    return { signals: [{ event: body.event, dedupeKey: body.id, ...(body.object === undefined ? {} : { objectId: body.object }) }] };
  },
  answer: (result) => ({ status: { accepted: 200, rejected: 401, unknown: 200, oversized: 413, unavailable: 503 }[result] }),
};

/** Whether a vendor's connection is well; tests turn it. */
export interface Wellness {
  a: boolean;
  b: boolean;
}

function vendor(side: Side, wellness: Wellness): Vendor {
  return {
    key: side === 'a' ? 'zoho' : 'nav',
    title: side === 'a' ? 'Quill' : 'Abacus',
    settings: z.unknown(),
    credentials: [],
    docs: [],
    open: () => undefined,
    async check() {
      return [{ id: 'X1', level: wellness[side] ? 'green' : 'red', sentence: wellness[side] ? 'well' : 'The password is refused.' }];
    },
    webhooks,
    limits: () => ({ requestsPerMinute: 1_000, burst: 10 }),
  };
}

export function quillAbacus(
  settings: Settings,
  wellness: Wellness,
  more: Partial<Pick<Integration, 'reference' | 'reports' | 'autoRelease' | 'flows'>> = {},
): Integration<unknown, Quill, Abacus, Ctx> {
  return {
    key: 'quill-abacus',
    title: 'Quill and Abacus',
    sides: { a: vendor('a', wellness) as Vendor<unknown, Quill>, b: vendor('b', wellness) as Vendor<unknown, Abacus> },
    settings: z.unknown(),
    tables: [],
    autoRelease: [{ causePrefix: 'account:', everyMinutes: 30 }],
    flows: [people(settings) as never, notes as never],
    reports: [],
    context: ({ base, a, b }) => ({ ...base, quill: a, abacus: b, settings }),
    flowsOff: () => ({}),
    contradictions: () => [],
    check: async () => [],
    ...(more as object),
  };
}
