import { describe, expect, it } from 'vitest';
import type { Feed } from '../../lib/contracts/flow.ts';
import { pollKey } from '../../lib/engine/state-keys.ts';
import { Failure } from '../../lib/failures.ts';
import { type Ctx, notes, people } from './quill-abacus.ts';
import { integration, notesFlow, World } from './world.ts';

async function worldWithPerson(): Promise<World> {
  const world = new World();
  await world.withPerson();
  return world;
}

const cursorOf = async (world: World): Promise<string | undefined> => {
  const item = await world.state.get<{ cursors: Record<string, string> }>(pollKey(integration, 'notes'));
  return item?.value.cursors['notes'];
};

describe('a poll', () => {
  it('brings what webhooks missed and moves its cursor', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    const report = await world.poll();
    expect(report.flows.find(({ flow }) => flow === 'notes')).toEqual({ flow: 'notes', listed: 1, unchanged: 0, queued: 1 });
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
    expect(await cursorOf(world)).toBe(world.clock.now().toISOString());
  });

  it('uses the row it listed and reads nothing again', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    await world.poll();
    await world.settle();
    // The first read is the snapshot; the link was new, so nothing can be newer.
    expect(world.quill.calls.filter((call) => call === 'readNotes')).toEqual([]);
  });

  it('reads again under the lease what another worker may have overtaken', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1', amount: '1.00' });
    await world.poll();
    world.quill.note({ id: 'n1', amount: '2.00' });
    const stale = await world.queues.receive('live', { visibilityMs: 1 });
    await world.change(notesFlow, 'n1');
    await world.drain();
    expect(world.posted()).toEqual({ 'N-n1': '2.00' });
    const messages = stale.map(({ id, body, receiveCount }) => ({ id, body, receiveCount }));
    await world.worker.engine.process(integration, messages, new Date(world.clock.now().getTime() + 60_000));
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '2.00' });
    expect(world.abacus.pages).toHaveLength(1);
  });

  it('many rows of one instant over several pages are all found, and none of them twice', async () => {
    const world = await worldWithPerson();
    const changedAt = world.clock.now().toISOString();
    for (let note = 0; note < 11; note++) world.quill.note({ id: `n${note}`, changedAt });
    await world.poll();
    await world.clock.pass(900_000);
    world.quill.note({ id: 'late', changedAt });
    await world.poll();
    await world.settle();
    expect(Object.keys(world.posted())).toHaveLength(12);
    expect(world.abacus.pages).toHaveLength(12);
  });

  it('lists a bill run again while clocks leave doubt, and then no longer, although nothing newer happens', async () => {
    const world = await worldWithPerson();
    for (let note = 0; note < 4; note++) world.quill.note({ id: `n${note}` });
    const listed: (number | undefined)[] = [];
    for (let tick = 0; tick < 4; tick++) {
      listed.push((await world.poll({ flows: ['notes'] })).flows[0]?.listed);
      await world.settle();
      await world.clock.pass(900_000);
    }
    expect(listed).toEqual([4, 4, 4, 0]);
    world.quill.note({ id: 'later' });
    await world.poll();
    await world.settle();
    expect(Object.keys(world.posted())).toHaveLength(5);
  });

  it('a key without row is a look at the record, until the record was settled well after that change', async () => {
    const at = new Date('2026-03-02T08:00:00Z');
    const keys: Feed<never, Ctx> = {
      name: 'keys',
      async *list() {
        yield [{ key: 'n1', at }];
      },
    };
    const world = new World();
    Object.assign(world.extra, { flows: [people(world.settings), { ...notes, source: { ...notes.source, feeds: () => [keys] } }] });
    await world.withPerson();
    world.quill.note({ id: 'n1' });
    const worker = world.hire();
    const queued = async () => (await worker.engine.poll(integration, { flows: ['notes'], force: true })).flows[0]?.queued;
    expect(await queued()).toBe(1);
    await world.drain(worker);
    expect(await queued()).toBe(1);
    await world.clock.pass(1_200_000);
    world.quill.note({ id: 'n1', amount: '12.00' });
    await world.change(notesFlow, 'n1');
    await world.drain(worker);
    expect(await queued()).toBe(0);
  });

  it('a key whose row another feed of the same poll brought is no further news', async () => {
    const world = new World();
    const keys: Feed<never, Ctx> = {
      name: 'keys',
      async *list(_context, since) {
        if (since === undefined) yield [{ key: 'n1', at: new Date('2026-03-02T08:00:00Z') }];
      },
    };
    const feeds = (context: Ctx) => [...notes.source.feeds(context), keys];
    Object.assign(world.extra, { flows: [people(world.settings), { ...notes, source: { ...notes.source, feeds } }] });
    await world.withPerson();
    world.quill.note({ id: 'n1' });
    const report = await world.hire().engine.poll(integration, { flows: ['notes'] });
    expect(report.flows[0]).toEqual({ flow: 'notes', listed: 1, unchanged: 0, queued: 1 });
  });

  it('is due by its cadence and not before', async () => {
    const world = await worldWithPerson();
    await world.poll();
    expect((await world.poll()).skipped).toEqual({ notes: 'not due', people: 'not due' });
    await world.clock.pass(900_000);
    expect((await world.poll()).skipped).toEqual({});
    world.pollEvery['notes'] = '0 6 * * *';
    await world.clock.pass(900_000);
    expect((await world.poll()).skipped).toEqual({ notes: 'not due' });
    await world.clock.pass(22 * 3_600_000);
    expect((await world.poll()).skipped).toEqual({});
  });

  it('goes on from the last page that is on the queue when a later one fails', async () => {
    const world = await worldWithPerson();
    for (let note = 0; note < 7; note++) {
      world.quill.note({ id: `n${note}` });
      await world.clock.pass(60_000);
    }
    await world.poll({ flows: ['people'] });
    world.quill.failures.push({ operation: 'nothing', error: new Error() });
    let pages = 0;
    world.quill.onCall = (operation) => {
      if (operation === 'listNotes' && ++pages === 3) throw new Failure('VendorUnavailable', { sentence: 'Quill is away.' });
    };
    expect((await world.poll()).skipped).toMatchObject({ notes: 'Quill is away.' });
    expect(await cursorOf(world)).toBe('2026-03-02T08:05:00.000Z');
    world.quill.onCall = () => {};
    await world.poll();
    await world.settle();
    expect(Object.keys(world.posted())).toHaveLength(7);
    expect(world.abacus.pages).toHaveLength(7);
  });

  it.each([
    ['lost', undefined],
    ['unreadable', { cursors: 7 }],
    ['in the future', { cursors: { notes: '2031-01-01T00:00:00Z' }, missed: [] }],
  ])('a cursor that is %s leads to a sweep from the cut-over, and nothing is posted twice', async (_name, value) => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    await world.poll();
    await world.settle();
    await world.clock.pass(86_400_000);
    world.quill.note({ id: 'n2', changedAt: '2026-03-02T08:00:01Z' });
    const key = pollKey(integration, 'notes');
    if (value === undefined) await world.state.remove(key);
    else await world.state.put(key, value);
    await world.poll({ force: true });
    await world.settle();
    expect(Object.keys(world.posted())).toHaveLength(2);
    expect(world.abacus.pages).toHaveLength(2);
    expect((await cursorOf(world)) ?? '').toMatch(/^2026-03/);
  });

  it('a vendor whose clock is minutes ahead loses nothing', async () => {
    const world = await worldWithPerson();
    const ahead = (ms: number): string => new Date(world.clock.now().getTime() + ms).toISOString();
    world.quill.note({ id: 'n1', changedAt: ahead(300_000) });
    await world.poll();
    await world.clock.pass(60_000);
    world.quill.note({ id: 'n2', changedAt: ahead(300_000) });
    await world.poll({ force: true });
    await world.settle();
    expect(Object.keys(world.posted())).toHaveLength(2);
  });

  it('large lists go to the bulk queue after the first pages', async () => {
    const world = await worldWithPerson();
    for (let note = 0; note < 12; note++) world.quill.note({ id: `n${note}` });
    await world.poll({ flows: ['notes'] });
    const live = await world.queues.receive('live', { visibilityMs: 0 });
    const bulk = await world.queues.receive('bulk', { visibilityMs: 0 });
    const count = (messages: readonly { body: string }[]): number =>
      messages.reduce((sum, { body }) => sum + (JSON.parse(body) as { changes: unknown[] }).changes.length, 0);
    expect([count(live), count(bulk)]).toEqual([6, 6]);
  });

  it('a backfill lists from the cut-over on the bulk queue, and one that was stopped goes on by itself', async () => {
    const world = await worldWithPerson();
    for (let note = 0; note < 9; note++) {
      world.quill.note({ id: `n${note}` });
      await world.clock.pass(60_000);
    }
    let calls = 0;
    world.quill.onCall = (operation) => {
      if (operation === 'listNotes' && ++calls === 3) world.clock.advance(300_000);
    };
    const deadline = new Date(world.clock.now().getTime() + 200_000);
    const report = await world.poll({ flows: ['notes'], backfill: true, deadline });
    expect(report.skipped['notes']).toContain('backfill');
    world.quill.onCall = () => {};
    expect(await world.queues.receive('live', { visibilityMs: 0 })).toEqual([]);
    await world.poll();
    await world.settle();
    expect(Object.keys(world.posted())).toHaveLength(9);
    expect(world.abacus.pages).toHaveLength(9);
    expect((await world.state.get(pollKey(integration, 'notes')))?.value).not.toHaveProperty('backfill');
  });

  it('a limit rests that side only, and the other flows are polled', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    world.abacus.fail('people', new Failure('RateLimited', { sentence: 'Abacus says wait.' }));
    const report = await world.poll({ force: true });
    expect(report.skipped).toMatchObject({ people: 'Abacus says wait.' });
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
  });

  it('two polls of one flow at once do not move the cursor past each other', async () => {
    const world = await worldWithPerson();
    for (let note = 0; note < 7; note++) world.quill.note({ id: `n${note}` });
    await Promise.all([world.poll(), world.poll({}, world.hire())]);
    await world.poll({ force: true });
    await world.settle();
    expect(Object.keys(world.posted())).toHaveLength(7);
    expect(world.abacus.pages).toHaveLength(7);
  });

  it('five records that no webhook told of raise one alert and shorten the cadence until webhooks return', async () => {
    const world = await worldWithPerson();
    await world.poll();
    for (let note = 0; note < 5; note++) {
      await world.clock.pass(900_000);
      world.quill.note({ id: `n${note}` });
      await world.poll();
      await world.settle();
    }
    const silence = (): number => world.alerts.raised.filter(({ key }) => key.startsWith('silence|')).length;
    expect(silence()).toBe(1);
    await world.clock.pass(300_000);
    expect((await world.poll()).skipped).not.toHaveProperty('notes');
    expect(silence()).toBe(1);
    await world.webhook('NotePosted', { object: 'n1' });
    await world.clock.pass(300_000);
    await world.poll();
    await world.clock.pass(300_000);
    expect((await world.poll()).skipped).toMatchObject({ notes: 'not due' });
  });
});
