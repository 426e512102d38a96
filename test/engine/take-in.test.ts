import { describe, expect, it } from 'vitest';
import { createGate } from './gate.ts';
import { integration, notesFlow, World } from './world.ts';

async function worldWithNote(): Promise<World> {
  const world = new World();
  await world.withPerson();
  world.quill.note({ id: 'n1' });
  return world;
}

describe('a webhook', () => {
  it('is proven, put on the queue, and answered; the note is posted', async () => {
    const world = await worldWithNote();
    expect(await world.webhook('NotePosted', { object: 'n1' })).toBe(200);
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
  });

  it('that is not proven touches nothing at all', async () => {
    const world = await worldWithNote();
    const gate = createGate();
    expect(await world.webhook('NotePosted', { object: 'n1', proof: 'wrong', worker: world.hire(gate) })).toBe(401);
    expect(gate.trace).toEqual([]);
    expect(await world.hasWork()).toBe(false);
  });

  it('that is too large is refused before it is looked at', async () => {
    const world = await worldWithNote();
    expect(await world.webhook('NotePosted', { object: 'x'.repeat(2_000), proof: 'wrong' })).toBe(413);
  });

  it('of an event nobody listens to is answered and ends', async () => {
    const world = await worldWithNote();
    expect(await world.webhook('NoteSmelled', { object: 'n1' })).toBe(200);
    expect(await world.hasWork()).toBe(false);
    expect(world.log.total('webhooks', { outcome: 'unknown' })).toBe(1);
  });

  it('for an integration we do not have is not found', async () => {
    const world = await worldWithNote();
    const request = { method: 'POST', path: '/', query: {}, headers: {}, body: new Uint8Array() };
    expect((await world.worker.engine.receiveWebhook('nobody', 'a', request)).status).toBe(404);
  });

  it('that is repeated is counted and dropped', async () => {
    const world = await worldWithNote();
    for (let time = 0; time < 5; time++) expect(await world.webhook('NotePosted', { object: 'n1', id: 'w1' })).toBe(200);
    expect(world.log.total('webhook-repeats')).toBe(4);
    expect(await world.queues.depth('live')).toMatchObject({ waiting: 1 });
  });

  it('with the id of another one and other contents is quarantined and told once', async () => {
    const world = await worldWithNote();
    await world.webhook('NotePosted', { object: 'n1', id: 'w1' });
    expect(await world.webhook('NotePosted', { object: 'n2', id: 'w1' })).toBe(200);
    expect(await world.webhook('NotePosted', { object: 'n3', id: 'w1' })).toBe(200);
    expect(world.alerts.raised.map(({ key }) => key)).toEqual(['notice-changed|a']);
    expect(await world.queues.depth('live')).toMatchObject({ waiting: 1 });
    const { entries } = await world.database.audit.query({ integration });
    expect(entries.filter(({ reason }) => reason === 'notice-changed')).toHaveLength(2);
  });

  it('is sent again by the vendor when our queue is down, and then accepted', async () => {
    const world = await worldWithNote();
    const { send } = world.queues;
    world.queues.send = async () => {
      throw new Error('queue is away');
    };
    expect(await world.webhook('NotePosted', { object: 'n1', id: 'w1', worker: world.hire() })).toBe(503);
    world.queues.send = send;
    expect(await world.webhook('NotePosted', { object: 'n1', id: 'w1', worker: world.hire() })).toBe(503);
    await world.clock.pass(31_000);
    expect(await world.webhook('NotePosted', { object: 'n1', id: 'w1', worker: world.hire() })).toBe(200);
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
  });

  it.each(['before', 'after'] as const)(
    'whose taker stops at any effect (%s it happened) is never lost once it was answered with 200',
    async (how) => {
      for (let crashAt = 1; ; crashAt++) {
        const world = await worldWithNote();
        const worker = world.hire(createGate({ crashAt, how }));
        let answered = (await world.webhook('NotePosted', { object: 'n1', id: 'w1', worker })) === 200;
        for (let time = 0; time < 5 && !answered; time++) {
          await world.clock.pass(20_000);
          answered = (await world.webhook('NotePosted', { object: 'n1', id: 'w1' })) === 200;
        }
        expect(answered).toBe(true);
        await world.settle();
        expect(world.posted(), `stopped ${how} effect ${crashAt} ${worker.gate.trace.at(-1)}`).toEqual({ 'N-n1': '10.00' });
        expect(world.abacus.pages).toHaveLength(1);
        if (!worker.gate.crashed) break;
      }
    },
  );

  it('without an object, or one that means "look now", polls the flow', async () => {
    const world = await worldWithNote();
    await world.webhook('NotesClosed', { object: 'run 7' });
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
    world.quill.note({ id: 'n2' });
    await world.webhook('NotePosted');
    await world.settle();
    expect(Object.keys(world.posted())).toHaveLength(2);
    expect(await world.links(notesFlow)).toHaveLength(2);
  });
});
