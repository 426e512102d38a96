import { expect, it } from 'vitest';
import { Failure } from '../../lib/failures.ts';
import { createSeededRandom } from '../../lib/memory/seeded-random.ts';
import { sum } from '../../lib/values/decimal.ts';
import { createGate } from './gate.ts';
import { integration, notesFlow, peopleFlow, type Worker, World } from './world.ts';

const seeds = Number(process.env['ENGINE_STORM_SEEDS'] ?? 60);
const first = Number(process.env['ENGINE_STORM_SEED'] ?? 1);

const ids = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'];

/** One history: people and notes change, notices repeat and get lost, workers stop and overlap, answers are lost, the vendors complain. */
async function history(seed: number): Promise<World> {
  const random = createSeededRandom(seed);
  const chance = (probability: number): boolean => random.next() < probability;
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random.next() * values.length)] as Value;
  const world = new World({
    additive: chance(0.3),
    conflict: pick(['a-wins', 'b-wins', 'newest']),
    onAdopt: pick(['fill-empty', 'overwrite']),
  });
  // A slow call, a late write and a lagging search together stay within the last look of the pair, as its contract demands.
  world.abacus.lagMs = pick([0, 0, 45_000, 90_000]);
  const people = ['c1', 'c2', 'c3'];
  for (const id of people.slice(0, 2)) world.quill.contact({ id, name: `Name ${id}` });
  const newWorker = (): Worker =>
    world.hire(createGate(chance(0.6) ? { crashAt: 1 + Math.floor(random.next() * 90), how: pick(['before', 'after']) } : {}));
  let workers = [newWorker(), newWorker()];
  const edits: (() => void | Promise<void>)[] = [
    () => {
      const id = pick(ids);
      world.quill.note({ id, person: pick(people), amount: `${1 + Math.floor(random.next() * 900)}.25` });
    },
    () => world.quill.note({ id: pick(ids), status: pick(['open', 'posted', 'void', 'posted']), code: pick(['FEE', 'FEE', 'GIFT']) }),
    () => {
      const id = pick(people);
      world.quill.contact({ id, phone: `${Math.floor(random.next() * 1000)} 1`, name: `Name ${id}${pick(['', ' x', ' y'])}` });
    },
    () => {
      const person = pick(world.abacus.people.length === 0 ? [undefined] : world.abacus.people);
      if (person)
        world.abacus.putPerson({
          key: person.key,
          phone: `${Math.floor(random.next() * 1000)}`,
          points: `${Math.floor(random.next() * 9)}`,
        });
    },
    async () => {
      const note = pick(ids);
      const id = chance(0.5) ? `w-${note}-${Math.floor(random.next() * 4)}` : world.ids.next();
      for (let time = chance(0.3) ? 3 : 1; time > 0; time--)
        await world.webhook('NotePosted', { object: note, id, worker: pick(workers) }).catch(() => 0);
    },
    () => world.change(peopleFlow, pick(people), { delaySeconds: Math.floor(random.next() * 300) }),
    () =>
      world.change(notesFlow, pick(ids), {
        cause: pick(['replay', 'webhook', 'dependency', 'reconcile']),
        delaySeconds: Math.floor(random.next() * 600),
      }),
    async () => {
      await world.poll({ force: true }, pick(workers)).catch(() => undefined);
    },
    async () => {
      await pick(workers)
        .engine.keep(integration)
        .catch(() => undefined);
    },
    () =>
      world.abacus.fail(
        pick(['draft', 'post', 'addPerson', 'changePerson']),
        pick(['lost-before', 'lost-after', { lateMs: 150_000 }] as const),
      ),
    () =>
      world.abacus.fail(
        pick(['find', 'draft', 'post', 'read', 'people']),
        new Failure(pick(['RateLimited', 'VendorUnavailable', 'LockContention', 'Unreachable', 'LaneBusy', 'TokenExpired']), {
          sentence: 'not now',
        }),
      ),
    () => {
      world.abacus.onCall = chance(0.5) ? () => world.clock.advance(Math.floor(random.next() * 40_000)) : () => {};
    },
  ];
  for (let step = 0; step < 120; step++) {
    for (let edit = 0; edit < 2; edit++) await pick(edits)();
    await Promise.all(workers.map((worker) => (chance(0.7) ? world.deliver(worker, 1 + Math.floor(random.next() * 6)) : undefined)));
    workers = workers.map((worker) => (worker.gate.crashed ? newWorker() : worker));
    await world.clock.pass(pick([0, 500, 20_000, 70_000, 400_000]));
  }
  return world;
}

/** Everybody is well again; whatever can be released is. */
async function comeToRest(world: World): Promise<void> {
  world.abacus.onCall = () => {};
  world.settings.accounts['GIFT'] = '4100';
  await world.clock.pass(10_000);
  for (const id of ['c1', 'c2', 'c3']) world.quill.contact({ id, name: `Name ${id} final`, phone: '0' });
  for (let round = 0; round < 4; round++) {
    await world.clock.pass(3_700_000);
    await world.poll({ force: true });
    await world.worker.engine.keep(integration);
    await world.settle();
    const { links } = await world.database.links.listHeld(integration);
    for (const { origin, trouble } of links) {
      // A note taken back while a draft of it lies in the ledger is a person's to decide: here the person lets the draft have its way.
      const unfinished = trouble?.cause.startsWith('unfinished:');
      if (unfinished) world.quill.note({ id: origin.key, status: trouble?.cause.includes('~R') ? 'void' : 'posted' });
    }
    for (const { origin } of links) await world.change(origin.flow, origin.key, { side: origin.side, cause: 'replay' });
    await world.settle();
  }
}

async function judge(world: World): Promise<void> {
  const marks = world.abacus.pages.map(({ mark }) => mark);
  expect(new Set(marks).size, 'no mark twice').toBe(marks.length);
  const open: string[] = [];
  for (const flow of [notesFlow, peopleFlow]) {
    for (const link of await world.links(flow)) {
      if (!['synced', 'filtered', 'gone'].includes(link.state))
        open.push(`${link.origin.key} ${link.state} ${link.trouble?.cause} ${JSON.stringify(link.trouble)}`);
      expect(link.intent, `${link.origin.key} has no open intent`).toBeUndefined();
    }
  }
  expect(open).toEqual([]);
  for (const note of await world.quill.readNotes(ids)) {
    const pages = world.abacus.pages.filter(
      ({ mark, status }) => status === 'posted' && (mark === note.number || mark.startsWith(`${note.number}~`)),
    );
    const inBooks = sum(pages.map(({ amount }) => amount));
    if (note.status === 'posted') expect(inBooks, note.number).toBe(sum([note.amount]));
    else if (note.status === 'void') expect(inBooks, note.number).toBe('0');
  }
  expect(
    world.abacus.pages.filter(({ status }) => status !== 'posted'),
    'no draft is left behind',
  ).toEqual([]);
  for (const contact of world.quill.contacts) {
    const link = await world.link(peopleFlow, contact.id);
    const person = world.abacus.person(link?.keys.b ?? '');
    expect(person, contact.id).toMatchObject({ name: contact.name.trim(), phone: contact.phone.replaceAll(' ', '') });
    // Values that differed when two records were found to be one were left alone, and the link says so.
    const left = JSON.stringify(link?.echo ?? {}).includes('points');
    if (!left) expect(person?.points, `points of ${contact.id}`).toBe(contact.points);
  }
  expect(world.abacus.people).toHaveLength(world.quill.contacts.length);
  expect(world.log.lines.filter(({ event }) => event === 'engine.defect')).toEqual([]);
}

it(`storm: ${seeds} histories from seed ${first} end with every note once in the books and every person equal on both sides`, async () => {
  for (let seed = first; seed < first + seeds; seed++) {
    try {
      const world = await history(seed);
      await comeToRest(world);
      await judge(world);
    } catch (error) {
      throw new Error(`seed ${seed}: ENGINE_STORM_SEED=${seed} ENGINE_STORM_SEEDS=1 npx vitest run test/engine/storm.test.ts`, {
        cause: error,
      });
    }
  }
}, 120_000);
