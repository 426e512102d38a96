import { describe, expect, it } from 'vitest';
import { Failure } from '../../lib/failures.ts';
import type { LinkStore } from '../../lib/ports/link-store.ts';
import { createGate } from './gate.ts';
import { integration, notesFlow, peopleFlow, World } from './world.ts';

async function worldWithPerson(): Promise<World> {
  const world = new World();
  await world.withPerson();
  return world;
}

const farDeadline = (world: World): Date => new Date(world.clock.now().getTime() + 120_000);

describe('messages', () => {
  it.each([
    ['no JSON', 'hello'],
    ['another shape', '{"version":1}'],
    ['a future version', JSON.stringify({ version: 2, integration, queue: 'live', changes: [], attempt: 0 })],
    [
      'another integration',
      JSON.stringify({
        version: 1,
        integration: 'some-other',
        queue: 'live',
        attempt: 0,
        changes: [{ flow: 'some-other.x', side: 'a', key: '1', cause: 'poll', at: '2026-03-02T08:00:00Z' }],
      }),
    ],
  ])('%s is buried with its reason, and the rest of the batch is done', async (_name, body) => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    await world.queues.sendText('live', body);
    await world.change(notesFlow, 'n1');
    await world.drain();
    expect(Object.keys(world.posted())).toEqual(['N-n1']);
    const [letter] = await world.queues.deadLetters.receive({ limit: 10, visibilitySeconds: 1 });
    expect(letter?.body).toBe(body);
    expect(letter?.reason?.cause).toBe('unreadable-message');
    expect(await world.hasWork()).toBe(false);
    await world.worker.engine.keep(integration);
    expect(await world.queues.deadLetters.count()).toBe(1);
  });

  it('a message that keeps coming back with several records is split into single ones', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    world.quill.note({ id: 'n2' });
    const at = world.clock.now().toISOString();
    const changes = ['n1', 'n2'].map((key) => ({ flow: notesFlow, side: 'a', key, cause: 'webhook', at }));
    const body = JSON.stringify({ version: 1, integration, queue: 'live', changes, attempt: 0 });
    const { failed } = await world.worker.engine.process(integration, [{ id: 'm1', body, receiveCount: 3 }], farDeadline(world));
    expect(failed).toEqual([]);
    expect(world.abacus.pages).toEqual([]);
    expect((await world.queues.receive('live', { visibilityMs: 0 })).length).toBe(2);
    await world.settle();
    expect(Object.keys(world.posted())).toHaveLength(2);
  });

  it('a change of a flow this version does not have is buried, not lost', async () => {
    const world = await worldWithPerson();
    await world.change(`${integration}.gone`, 'x');
    await world.drain();
    expect(await world.queues.deadLetters.count()).toBe(1);
  });

  it('trouble of our own tables decides nothing: the message comes back and the record is posted', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    await world.change(notesFlow, 'n1');
    const { links } = world.database;
    const commit = links.commit.bind(links);
    links.commit = async () => {
      throw new Error('ProvisionedThroughputExceededException');
    };
    await world.deliver();
    expect(await world.link(notesFlow, 'n1')).toMatchObject({ state: 'working' });
    links.commit = commit;
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
    expect(world.abacus.pages).toHaveLength(1);
    expect(await world.queues.deadLetters.count()).toBe(0);
  });

  it('what is not begun before the deadline is put back without spending an attempt', async () => {
    const world = await worldWithPerson();
    for (let note = 0; note < 5; note++) {
      world.quill.note({ id: `n${note}` });
      await world.change(notesFlow, `n${note}`);
    }
    world.abacus.onCall = (operation) => {
      if (operation === 'post') world.clock.advance(60_000);
    };
    await world.deliver();
    expect(Object.keys(world.posted()).length).toBeLessThan(5);
    const [message] = await world.queues.receive('live', { visibilityMs: 0 });
    expect(JSON.parse(message?.body ?? '{}')).toMatchObject({ attempt: 0 });
    world.abacus.onCall = () => {};
    await world.settle();
    expect(Object.keys(world.posted())).toHaveLength(5);
    expect(world.abacus.pages).toHaveLength(5);
  });

  it('a busy record goes back with a delay', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    const now = world.clock.now();
    await world.database.links.lease([{ flow: notesFlow, side: 'a', key: 'n1' }], {
      owner: 'other',
      until: new Date(now.getTime() + 20_000),
      now,
    });
    await world.change(notesFlow, 'n1');
    await world.drain();
    expect(world.abacus.calls).not.toContain('draft');
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
  });
});

describe('a record that did not change', () => {
  it('costs one read of links and nothing else when a poll had its row', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    await world.change(notesFlow, 'n1');
    await world.settle();
    const row = (await world.quill.readNotes(['n1']))[0];
    const at = world.clock.now().toISOString();
    const snapshot = { row, readAt: at };
    const body = JSON.stringify({
      version: 1,
      integration,
      queue: 'live',
      attempt: 0,
      changes: [{ flow: notesFlow, side: 'a', key: 'n1', cause: 'poll', at, snapshot }],
    });
    const gate = createGate();
    const { engine } = world.hire(gate);
    await engine.process(integration, [{ id: 'm', body, receiveCount: 1 }], farDeadline(world));
    expect(gate.trace).toEqual(['state.getMany', 'links.findMany']);
  });

  it('is not even queued by the poll that lists it', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    await world.poll({ force: true });
    await world.settle();
    const gate = createGate();
    const report = await world.poll({ force: true, flows: ['notes'] }, world.hire(gate));
    expect(report.flows).toEqual([{ flow: 'notes', listed: 1, unchanged: 1, queued: 0 }]);
    expect(gate.trace.filter((call) => call.startsWith('queue.') || call.startsWith('links.'))).toEqual(['links.findMany']);
    expect(gate.trace.filter((call) => call === 'state.put')).toHaveLength(1);
  });

  it('leaves a line when a webhook or a person asked about it', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    await world.change(notesFlow, 'n1');
    await world.settle();
    await world.change(notesFlow, 'n1');
    await world.settle();
    await world.change(notesFlow, 'n1', { cause: 'replay' });
    await world.change(notesFlow, 'n1', { cause: 'sweep', delaySeconds: 60 });
    await world.settle();
    expect(await world.outcomes(notesFlow, 'n1')).toEqual(['posted', 'unchanged', 'unchanged']);
    expect(world.abacus.calls.filter((call) => call === 'find')).toHaveLength(1);
  });
});

describe('a batch in trouble', () => {
  it('a limit ends it politely: the rest waits, spends no attempt, and is posted later', async () => {
    const world = await worldWithPerson();
    for (const id of ['n1', 'n2', 'n3']) {
      world.quill.note({ id });
      await world.change(notesFlow, id);
    }
    const at = new Date(world.clock.now().getTime() + 90_000);
    world.abacus.fail('draft', new Failure('RateLimited', { sentence: 'Abacus says wait.', at }));
    await world.drain();
    expect(world.abacus.calls.filter((call) => call === 'draft')).toHaveLength(1);
    expect(world.abacus.pages).toEqual([]);
    expect(world.queues.nextVisibleAt('live')).toEqual(at);
    await world.clock.pass(90_000);
    const [message] = await world.queues.receive('live', { visibilityMs: 0 });
    expect(JSON.parse(message?.body ?? '{}')).toMatchObject({ attempt: 0 });
    await world.settle();
    expect(Object.keys(world.posted())).toHaveLength(3);
  });

  it('a worker that may not write now reads and leases nothing, begins no other flow, and its records come back', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    world.quill.contact({ id: 'c7', name: 'Cy' });
    await world.change(notesFlow, 'n1');
    await world.change(peopleFlow, 'c7');
    const at = new Date(world.clock.now().getTime() + 20_000);
    world.ready.b = () => Promise.reject(new Failure('LaneBusy', { sentence: 'Another worker is at it.', at }));
    world.quill.calls.length = 0;
    await world.drain();
    expect([await world.link(notesFlow, 'n1'), await world.link(peopleFlow, 'c7')]).toEqual([undefined, undefined]);
    expect(world.quill.calls).toEqual([]);
    delete world.ready.b;
    await world.settle();
    expect(Object.keys(world.posted())).toEqual(['N-n1']);
    expect(await world.link(peopleFlow, 'c7')).toMatchObject({ state: 'synced' });
  });

  it('a bulk read that fails over one record is repeated one by one, and only that one is held', async () => {
    const world = await worldWithPerson();
    for (const id of ['n1', 'n2', 'n3']) {
      world.quill.note({ id });
      await world.change(notesFlow, id);
    }
    const { readNotes } = world.quill;
    world.quill.readNotes = async (ids) => {
      if (ids.includes('n2')) throw new Failure('ShapeUnexpected', { cause: 'shape', sentence: 'Quill answered nonsense.' });
      return readNotes.call(world.quill, ids);
    };
    await world.settle();
    expect(Object.keys(world.posted()).sort()).toEqual(['N-n1', 'N-n3']);
    expect(await world.link(notesFlow, 'n2')).toMatchObject({ state: 'held', trouble: { cause: 'shape' } });
  });

  it('an error of the flow itself is a hold of that record only', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1', amount: 'ten' });
    world.quill.note({ id: 'n2' });
    await world.change(notesFlow, 'n1');
    await world.change(notesFlow, 'n2');
    await world.settle();
    expect(Object.keys(world.posted())).toEqual(['N-n2']);
    expect(await world.link(notesFlow, 'n1')).toMatchObject({ state: 'held', trouble: { kind: 'Defect' } });
  });

  it('a refused password pauses the connection with one alert; everything waits, and a good check resumes it', async () => {
    const world = await worldWithPerson();
    for (const id of ['n1', 'n2']) {
      world.quill.note({ id });
      await world.change(notesFlow, id);
    }
    world.wellness.b = false;
    world.abacus.fail('find', new Failure('CredentialRefused', { sentence: 'Abacus refuses the password.' }));
    await world.drain();
    world.quill.note({ id: 'n3' });
    await world.change(notesFlow, 'n3');
    await world.clock.pass(3_600_000);
    await world.drain();
    expect(world.alerts.raised.map(({ key }) => key)).toEqual(['circuit|our-abacus']);
    expect(world.abacus.pages).toEqual([]);
    const report = await world.poll({ force: true });
    expect(report.flows.find(({ flow }) => flow === 'notes')?.queued).toBe(3);
    await world.worker.engine.keep(integration);
    await world.drain();
    expect(world.abacus.pages).toEqual([]);
    world.wellness.b = true;
    await world.worker.engine.keep(integration);
    await world.settle();
    expect(Object.keys(world.posted())).toHaveLength(3);
    expect(await world.queues.deadLetters.count()).toBe(0);
  });

  it('a vendor that fails for hours although it calls itself well leaves the record to a person', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    await world.change(notesFlow, 'n1', { attempt: 12 });
    world.abacus.fail('find', new Failure('VendorUnavailable', { sentence: 'Abacus answers 500.' }));
    await world.settle();
    expect(await world.link(notesFlow, 'n1')).toMatchObject({ state: 'held', trouble: { kind: 'VendorUnavailable' } });
  });

  it('a record rewritten again and again is stopped by the breaker, whatever rewrites it', async () => {
    const world = await worldWithPerson();
    const key = world.abacus.people[0]?.key ?? '';
    for (let time = 0; time < 12; time++) {
      world.quill.contact({ id: 'c1', phone: `${time}` });
      world.abacus.putPerson({ key, phone: 'mine' });
      await world.change(peopleFlow, 'c1');
      await world.drain();
      await world.clock.pass(60_000);
    }
    expect(world.abacus.calls.filter((call) => call === 'changePerson')).toHaveLength(5);
    expect(await world.link(peopleFlow, 'c1')).toMatchObject({ state: 'held', trouble: { cause: 'loop' } });
  });
});

describe('modes of a flow', () => {
  it('preview stores a plan and writes nothing anywhere else', async () => {
    const world = await worldWithPerson();
    world.modes['notes'] = 'preview';
    world.quill.note({ id: 'n1' });
    world.quill.note({ id: 'n2', code: 'GIFT' });
    await world.change(notesFlow, 'n1');
    await world.change(notesFlow, 'n2');
    await world.settle();
    expect(world.abacus.pages).toEqual([]);
    expect(await world.links(notesFlow)).toEqual([]);
    expect(await world.queues.deadLetters.count()).toBe(0);
    const { items } = await world.state.list(`plan|${notesFlow}`);
    expect(items.map(({ value }) => value)).toMatchObject([
      { would: 'post', label: 'N-n1', money: { amount: '10.00', currency: 'USD' }, draft: { account: '4000' } },
      { would: 'trouble', failure: { cause: 'account:GIFT' } },
    ]);
    expect(await world.outcomes(notesFlow, 'n1')).toEqual(['planned']);
  });

  it('preview of a mirror plans creations, adoptions and updates, and writes nothing', async () => {
    const world = new World();
    await world.withPerson('c1');
    world.modes['people'] = 'preview';
    world.quill.contact({ id: 'c1', phone: '9 9' });
    world.quill.contact({ id: 'c2', name: 'New' });
    world.quill.contact({ id: 'c3', name: 'There' });
    world.abacus.putPerson({ key: 'A7', name: 'There' });
    const before = [...world.abacus.people];
    for (const id of ['c1', 'c2', 'c3']) await world.change(peopleFlow, id);
    await world.settle();
    expect(world.abacus.people).toEqual(before);
    const { items } = await world.state.list(`plan|${peopleFlow}`);
    expect(items.map(({ value }) => value)).toMatchObject([{ would: 'update' }, { would: 'create' }, { would: 'adopt' }]);
    expect(await world.links(peopleFlow)).toHaveLength(1);
  });

  it('a paused flow keeps its changes for later', async () => {
    const world = await worldWithPerson();
    world.modes['notes'] = 'paused';
    world.quill.note({ id: 'n1' });
    await world.change(notesFlow, 'n1');
    await world.settle(world.worker, { forMs: 7_200_000 });
    expect(world.abacus.pages).toEqual([]);
    expect((await world.poll({ force: true })).skipped).toMatchObject({ notes: 'paused' });
    world.modes['notes'] = 'live';
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
  });

  it('a flow that is off ends its changes as filtered, and moves them after it is switched on', async () => {
    const world = await worldWithPerson();
    world.modes['notes'] = 'off';
    world.quill.note({ id: 'n1' });
    await world.change(notesFlow, 'n1');
    await world.settle();
    expect(await world.link(notesFlow, 'n1')).toMatchObject({ state: 'filtered', note: 'flow-off' });
    expect(await world.outcomes(notesFlow, 'n1')).toEqual(['filtered']);
    world.modes['notes'] = 'live';
    await world.poll({ force: true });
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
  });
});

describe('waiting', () => {
  it('those that wait are woken by the record itself, without the housekeeping', async () => {
    const world = new World();
    world.quill.contact({ id: 'c1', name: '' });
    world.quill.note({ id: 'n1' });
    await world.change(notesFlow, 'n1');
    await world.drain();
    world.quill.contact({ id: 'c1', name: 'Ada' });
    await world.change(peopleFlow, 'c1');
    await world.drain();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
  });

  it('a record that arrives while another one parks itself does not leave it asleep', async () => {
    const world = new World();
    world.quill.contact({ id: 'c1', name: 'Ada' });
    world.quill.note({ id: 'n1' });
    const { links } = world.database;
    const commit: LinkStore['commit'] = links.commit.bind(links);
    let first = true;
    links.commit = async (leased, audit) => {
      if (leased.link.state === 'waiting' && first) {
        first = false;
        await world.change(peopleFlow, 'c1');
        await world.drain(world.hire());
      }
      return commit(leased, audit);
    };
    await world.change(notesFlow, 'n1');
    await world.drain();
    await world.clock.pass(2_000);
    await world.drain();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
  });

  it('a condition with an instant is looked at again at that instant', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    const at = new Date(world.clock.now().getTime() + 30_000);
    world.abacus.fail('post', new Failure('ConditionPending', { cause: 'approval', sentence: 'Abacus wants an approval.', at }));
    await world.change(notesFlow, 'n1');
    await world.drain();
    expect(await world.link(notesFlow, 'n1')).toMatchObject({ state: 'waiting', trouble: { cause: 'approval' } });
    await world.clock.pass(31_000);
    await world.drain();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
    expect(world.abacus.pages).toHaveLength(1);
  });
});
