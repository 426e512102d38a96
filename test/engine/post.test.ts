import { describe, expect, it } from 'vitest';
import { Failure } from '../../lib/failures.ts';
import { notesFlow, peopleFlow, World } from './world.ts';

async function worldWithPerson(): Promise<World> {
  const world = new World();
  await world.withPerson();
  return world;
}

describe('a post flow', () => {
  it('a posted note becomes one posted page and the link remembers it', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    await world.change(notesFlow, 'n1');
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
    const link = await world.link(notesFlow, 'n1');
    expect(link).toMatchObject({ state: 'synced', label: 'N-n1', keys: { a: 'n1', b: world.abacus.pages[0]?.ref } });
    expect(link?.intent).toBeUndefined();
    expect(link?.postings).toMatchObject([{ generation: 1, kind: 'post', stage: 'posted' }]);
    expect(await world.outcomes(notesFlow, 'n1')).toEqual(['posted']);
  });

  it('the same notice fifty times posts once', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    for (let time = 0; time < 50; time++) await world.change(notesFlow, 'n1');
    await world.settle();
    expect(world.abacus.pages).toHaveLength(1);
  });

  it('a void that arrives before its note ends filtered, and an old notice after it does nothing', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1', status: 'void' });
    await world.change(notesFlow, 'n1');
    await world.settle();
    await world.change(notesFlow, 'n1');
    await world.settle();
    expect(world.abacus.pages).toEqual([]);
    expect(await world.link(notesFlow, 'n1')).toMatchObject({ state: 'filtered', note: 'voided' });
  });

  it('a voided note is reversed once, from what was posted', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    await world.change(notesFlow, 'n1');
    await world.settle();
    world.quill.note({ id: 'n1', status: 'void', amount: '99.00' });
    await world.change(notesFlow, 'n1');
    await world.change(notesFlow, 'n1', { delaySeconds: 30 });
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00', 'N-n1~R1': '-10' });
    expect((await world.link(notesFlow, 'n1'))?.postings).toMatchObject([
      { kind: 'post', stage: 'reversed' },
      { kind: 'reversal', stage: 'posted' },
    ]);
    expect(await world.outcomes(notesFlow, 'n1')).toEqual(['posted', 'reversed', 'unchanged']);
  });

  it('a changed note is reversed and posted anew, both in one attempt', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    await world.change(notesFlow, 'n1');
    await world.settle();
    world.quill.note({ id: 'n1', amount: '12.50' });
    await world.change(notesFlow, 'n1');
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00', 'N-n1~R1': '-10', 'N-n1~2': '12.50' });
    expect(await world.outcomes(notesFlow, 'n1')).toEqual(['posted', 'reversed', 'posted']);
  });

  it('an answer lost after the draft was written is found by the first look', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    world.abacus.fail('draft', 'lost-after');
    await world.change(notesFlow, 'n1');
    const before = world.clock.now().getTime();
    await world.settle();
    expect(world.abacus.pages).toHaveLength(1);
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
    expect(world.clock.now().getTime() - before).toBeLessThan(90_000);
  });

  it('an answer lost before anything was written is written again only after the last look', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    world.abacus.fail('draft', 'lost-before');
    await world.change(notesFlow, 'n1');
    await world.settle(world.worker, { forMs: 290_000 });
    expect(world.abacus.pages).toEqual([]);
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
    expect(world.abacus.calls.filter((call) => call === 'draft')).toHaveLength(2);
  });

  it('a write the vendor carries out four minutes late is still found', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    world.abacus.fail('draft', { lateMs: 240_000 });
    await world.change(notesFlow, 'n1');
    await world.settle();
    expect(world.abacus.pages).toHaveLength(1);
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
  });

  it('a commit whose answer is lost is not repeated blindly', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    world.abacus.fail('post', 'lost-after');
    await world.change(notesFlow, 'n1');
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
    expect(world.abacus.calls.filter((call) => call === 'post')).toHaveLength(1);
  });

  it('a document that searches show only after a while is not written twice', async () => {
    const world = await worldWithPerson();
    world.abacus.lagMs = 45_000;
    world.quill.note({ id: 'n1' });
    world.abacus.fail('post', new Failure('LockContention', { sentence: 'Somebody else has it.' }));
    await world.change(notesFlow, 'n1');
    await world.settle();
    expect(world.abacus.pages).toHaveLength(1);
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
  });

  it('a text cut silently is found, the draft is parked, and both values are named', async () => {
    const world = await worldWithPerson();
    world.abacus.textLength = 5;
    world.quill.note({ id: 'n1' });
    world.quill.note({ id: 'n2', text: 'short' });
    await world.change(notesFlow, 'n1');
    await world.change(notesFlow, 'n2');
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n2': '10.00' });
    const link = await world.link(notesFlow, 'n1');
    expect(link).toMatchObject({
      state: 'held',
      trouble: { cause: 'verify:text', details: { 'text sent': 'for services', 'text got': 'for s' } },
    });
    expect(world.abacus.pages.find(({ mark }) => mark === 'N-n1')?.status).toBe('parked');
    world.abacus.textLength = 50;
    await world.change(notesFlow, 'n1', { cause: 'replay' });
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00', 'N-n2': '10.00' });
    expect(world.abacus.pages).toHaveLength(2);
  });

  it('a document that does not get posted is asked for twice, then held', async () => {
    const world = await worldWithPerson();
    world.abacus.lazy = true;
    world.quill.note({ id: 'n1' });
    await world.change(notesFlow, 'n1');
    await world.settle();
    expect(world.abacus.calls.filter((call) => call === 'post')).toHaveLength(2);
    expect(await world.link(notesFlow, 'n1')).toMatchObject({ state: 'held', trouble: { cause: 'not-released' } });
    world.abacus.lazy = false;
    await world.change(notesFlow, 'n1', { cause: 'replay' });
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
    expect(world.abacus.pages).toHaveLength(1);
  });

  it('a foreign document with our reference is never touched', async () => {
    const world = await worldWithPerson();
    world.abacus.putPage({ ref: 'X1', mark: 'N-n1', person: 'other', amount: '7.00', text: '', account: '1', status: 'posted' });
    world.quill.note({ id: 'n1' });
    await world.change(notesFlow, 'n1');
    await world.settle();
    expect(await world.link(notesFlow, 'n1')).toMatchObject({ state: 'held', trouble: { cause: 'foreign-page' } });
    expect(world.abacus.pages).toHaveLength(1);
  });

  it('a refused record is held with a dead letter and its neighbours are posted', async () => {
    const world = await worldWithPerson();
    for (const id of ['n1', 'n2', 'n3']) {
      world.quill.note({ id, ...(id === 'n2' ? { code: 'GIFT' } : {}) });
      await world.change(notesFlow, id);
    }
    await world.settle();
    expect(Object.keys(world.posted()).sort()).toEqual(['N-n1', 'N-n3']);
    expect(await world.queues.deadLetters.count()).toBe(1);
    const { links } = await world.database.links.listHeld('quill-abacus');
    expect(links.map(({ trouble }) => trouble?.cause)).toEqual(['account:GIFT']);
  });

  it('a setting added in mid-run releases all holds of its cause and their dead letters go', async () => {
    const world = await worldWithPerson();
    for (const id of ['n1', 'n2', 'n3']) {
      world.quill.note({ id, code: 'GIFT' });
      await world.change(notesFlow, id);
    }
    await world.settle();
    expect((await world.database.links.listHeld('quill-abacus', { cause: 'account:GIFT' })).links).toHaveLength(3);
    world.settings.accounts['GIFT'] = '4100';
    await world.clock.pass(1_900_000);
    await world.worker.engine.keep('quill-abacus');
    await world.settle();
    expect(Object.keys(world.posted())).toHaveLength(3);
    await world.worker.engine.keep('quill-abacus');
    expect(await world.queues.deadLetters.count()).toBe(0);
  });

  it('a hold looked at again without news writes no second line and no second letter', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1', code: 'GIFT' });
    await world.change(notesFlow, 'n1');
    await world.settle();
    await world.clock.pass(1_900_000);
    await world.worker.engine.keep('quill-abacus');
    await world.settle();
    await world.poll({ force: true });
    await world.settle();
    expect(await world.outcomes(notesFlow, 'n1')).toEqual(['held']);
    expect(await world.queues.deadLetters.count()).toBe(1);
  });

  it('a note waits for its person, demands it, and is posted when it is there', async () => {
    const world = new World();
    world.quill.contact({ id: 'c1' });
    world.quill.note({ id: 'n1' });
    await world.change(notesFlow, 'n1');
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
    expect(await world.outcomes(notesFlow, 'n1')).toEqual(['waiting', 'posted']);
    expect(await world.outcomes(peopleFlow, 'c1')).toEqual(['created']);
  });

  it('a person that cannot be made keeps its notes waiting, and its release posts them all', async () => {
    const world = new World();
    world.quill.contact({ id: 'c1', name: '' });
    for (const id of ['n1', 'n2']) {
      world.quill.note({ id });
      await world.change(notesFlow, id);
    }
    await world.settle();
    expect(await world.link(peopleFlow, 'c1')).toMatchObject({ state: 'held', trouble: { cause: 'field:name' } });
    expect(await world.link(notesFlow, 'n1')).toMatchObject({ state: 'waiting' });
    world.quill.contact({ id: 'c1', name: 'Ada' });
    await world.change(peopleFlow, 'c1');
    await world.settle();
    expect(Object.keys(world.posted())).toHaveLength(2);
  });

  it('a record that vanished at its source is held, not reversed', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    await world.change(notesFlow, 'n1');
    await world.settle();
    world.quill.removeNote('n1');
    await world.change(notesFlow, 'n1');
    await world.settle();
    expect(await world.link(notesFlow, 'n1')).toMatchObject({ state: 'held', trouble: { cause: 'source-vanished' } });
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
  });

  it('a notice quicker than the reads is looked at again, then noted as not readable', async () => {
    const world = await worldWithPerson();
    await world.change(notesFlow, 'n1');
    await world.drain();
    await world.clock.pass(6_000);
    world.quill.note({ id: 'n1' });
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
    await world.change(notesFlow, 'n9');
    await world.settle();
    expect(await world.outcomes(notesFlow, 'n9')).toEqual(['noted']);
    expect(await world.link(notesFlow, 'n9')).toBeUndefined();
  });

  it('a page removed behind our back is not written again without a person', async () => {
    const world = await worldWithPerson();
    world.quill.note({ id: 'n1' });
    world.abacus.fail('post', new Failure('RequestRejected', { cause: 'closed', sentence: 'The period is closed.' }));
    await world.change(notesFlow, 'n1');
    await world.settle();
    expect(await world.link(notesFlow, 'n1')).toMatchObject({ state: 'held', trouble: { cause: 'closed' } });
    world.abacus.removePage(world.abacus.pages[0]?.ref ?? '');
    await world.change(notesFlow, 'n1', { cause: 'replay' });
    await world.settle();
    expect(world.abacus.pages).toEqual([]);
    expect((await world.link(notesFlow, 'n1'))?.trouble?.cause).toMatch(/^vanished:/);
  });
});
