import { describe, expect, it } from 'vitest';
import { integration, peopleFlow, World } from './world.ts';

/** A pair that agrees: contact c1 and its person. */
async function pair(settings: ConstructorParameters<typeof World>[0] = {}): Promise<{ world: World; key: string }> {
  const world = new World(settings);
  world.quill.contact({ id: 'c1', name: 'Ada', phone: '1 2 3' });
  await world.change(peopleFlow, 'c1');
  await world.settle();
  await world.clock.pass(60_000);
  return { world, key: world.abacus.people[0]?.key ?? '' };
}

const both = async (world: World, key: string): Promise<void> => {
  await world.change(peopleFlow, 'c1');
  await world.change(peopleFlow, key, { side: 'b' });
  await world.settle();
};
const writes = (world: World): number =>
  world.abacus.calls.filter((call) => call === 'changePerson').length + world.quill.calls.filter((call) => call === 'changeContact').length;

describe('a mirror', () => {
  it('creates the counterpart once, however the two sides tell of it', async () => {
    const { world, key } = await pair();
    expect(world.abacus.people).toMatchObject([{ name: 'Ada', phone: '123' }]);
    await both(world, key);
    await world.poll({ force: true });
    await world.settle();
    expect(world.abacus.people).toHaveLength(1);
    expect(await world.links(peopleFlow)).toHaveLength(1);
    expect(await world.outcomes(peopleFlow, 'c1')).toContain('created');
  });

  it('what the other side made of our values is no change: no write goes back and forth', async () => {
    const { world, key } = await pair();
    world.quill.contact({ id: 'c1', phone: '4 4 4', name: ' Ada  ' });
    await both(world, key);
    await both(world, key);
    await world.poll({ force: true });
    await world.settle();
    expect(world.abacus.person(key)).toMatchObject({ phone: '444', name: 'Ada' });
    expect(world.quill.contacts).toMatchObject([{ phone: '4 4 4', name: ' Ada  ' }]);
    expect(writes(world)).toBe(1);
  });

  it('different fields changed on the two sides are both kept', async () => {
    const { world, key } = await pair();
    world.quill.contact({ id: 'c1', phone: '55' });
    world.abacus.putPerson({ key, points: '9' });
    await both(world, key);
    expect(world.abacus.person(key)).toMatchObject({ phone: '55', points: '9' });
    expect(world.quill.contacts).toMatchObject([{ phone: '55', points: '9' }]);
    expect(writes(world)).toBe(2);
  });

  it.each([
    ['a-wins', '66'],
    ['b-wins', '77'],
    ['newest', '77'],
  ] as const)('the same field changed on both sides: %s', async (conflict, phone) => {
    const { world, key } = await pair({ conflict });
    world.quill.contact({ id: 'c1', phone: '66' });
    await world.clock.pass(1_000);
    world.abacus.putPerson({ key, phone: '77' });
    await both(world, key);
    expect(world.abacus.person(key)?.phone).toBe(phone);
    expect(world.quill.contacts[0]?.phone).toBe(phone);
    const { entries } = await world.database.audit.query({ integration, record: `${peopleFlow}|a|c1` });
    const line = entries.find(({ outcome }) => outcome === 'updated');
    expect(JSON.stringify(line?.before)).toContain(phone === '66' ? '77' : '66');
    expect(line?.sentence).toContain('changed on both sides');
  });

  it('policy hold writes nothing, names both values, and takes a person’s answer', async () => {
    const { world, key } = await pair({ conflict: 'hold' });
    world.quill.contact({ id: 'c1', phone: '66' });
    world.abacus.putPerson({ key, phone: '77' });
    await both(world, key);
    const link = await world.link(peopleFlow, 'c1');
    expect(link).toMatchObject({ state: 'held', trouble: { cause: 'conflict:phone', details: { 'phone a': '66', 'phone b': '77' } } });
    expect(writes(world)).toBe(0);
    const now = world.clock.now();
    const [leased] = [
      ...(await world.database.links.lease([{ flow: peopleFlow, side: 'a', key: 'c1' }], { owner: 'op', until: now, now })).values(),
    ];
    if (!leased || 'busy' in leased) throw new Error('busy');
    await world.database.links.commit({ ...leased, link: { ...leased.link, decision: 'b-wins' } }, []);
    await world.change(peopleFlow, 'c1', { cause: 'replay' });
    await world.settle();
    expect(world.quill.contacts[0]?.phone).toBe('77');
    expect(await world.link(peopleFlow, 'c1')).toMatchObject({ state: 'synced' });
  });

  it('levels add up instead of conflicting', async () => {
    const { world, key } = await pair({ additive: true, conflict: 'hold' });
    world.quill.contact({ id: 'c1', points: '5' });
    world.abacus.putPerson({ key, points: '3.5' });
    await both(world, key);
    expect(world.abacus.person(key)?.points).toBe('8.5');
    expect(world.quill.contacts[0]?.points).toBe('8.5');
  });

  it('a sum whose answer was lost is not added twice', async () => {
    const { world, key } = await pair({ additive: true });
    world.quill.contact({ id: 'c1', points: '5' });
    world.abacus.putPerson({ key, points: '3' });
    world.abacus.fail('changePerson', 'lost-after');
    await both(world, key);
    expect(world.abacus.person(key)?.points).toBe('8');
    expect(world.quill.contacts[0]?.points).toBe('8');
  });

  it('a creation whose answer was lost is brought to what the source says by the time it is found', async () => {
    const world = new World({ direction: 'a-to-b' });
    world.quill.contact({ id: 'c1', name: 'Ada', phone: '1' });
    world.abacus.fail('addPerson', 'lost-after');
    await world.change(peopleFlow, 'c1');
    await world.drain();
    world.quill.contact({ id: 'c1', name: 'Ada', phone: '2' });
    await world.settle();
    expect(world.abacus.people).toMatchObject([{ name: 'Ada', phone: '2' }]);
    expect(await world.link(peopleFlow, 'c1')).toMatchObject({ state: 'synced', base: { phone: '2' } });
  });

  it('an adopted record is filled where it is empty and otherwise left alone', async () => {
    const world = new World({ onAdopt: 'fill-empty' });
    world.quill.contact({ id: 'c1', name: 'Ada', phone: '1', points: '4' });
    world.abacus.putPerson({ key: 'A9', name: 'ADA', phone: '', points: '6' });
    await world.change(peopleFlow, 'c1');
    await world.settle();
    expect(world.abacus.people).toMatchObject([{ key: 'A9', name: 'ADA', phone: '1', points: '6' }]);
    await both(world, 'A9');
    expect(world.quill.contacts).toMatchObject([{ name: 'Ada', points: '4' }]);
    expect(await world.outcomes(peopleFlow, 'c1')).toEqual(['adopted', 'updated', 'unchanged']);
  });

  it('overwriting adoption makes the counterpart equal', async () => {
    const world = new World({ onAdopt: 'overwrite' });
    world.quill.contact({ id: 'c1', name: 'Ada', phone: '1', points: '4' });
    world.abacus.putPerson({ key: 'A9', name: 'ADA', phone: '', points: '6' });
    await world.change(peopleFlow, 'c1');
    await world.settle();
    expect(world.abacus.people).toMatchObject([{ name: 'Ada', phone: '1', points: '4' }]);
  });

  it('created on both sides at once becomes one link, whoever comes first', async () => {
    for (const order of [
      ['c1', 'A9'],
      ['A9', 'c1'],
    ] as const) {
      const world = new World();
      world.quill.contact({ id: 'c1', name: 'Ada', phone: '1' });
      world.abacus.putPerson({ key: 'A9', name: 'Ada', phone: '1' });
      for (const key of order) await world.change(peopleFlow, key, { side: key === 'c1' ? 'a' : 'b' });
      const workers = [world.hire(), world.hire()];
      for (let turn = 0; turn < 6; turn++) await Promise.all(workers.map((worker) => world.deliver(worker, 1)));
      await world.settle();
      expect(world.abacus.people).toHaveLength(1);
      expect(world.quill.contacts).toHaveLength(1);
      expect((await world.links(peopleFlow)).map(({ keys }) => keys)).toEqual([{ a: 'c1', b: 'A9' }]);
    }
  });

  it('a second record that matches a linked one is held, never linked twice', async () => {
    const { world, key } = await pair();
    world.settings.marked = false;
    world.quill.contact({ id: 'c2', name: 'Ada' });
    await world.change(peopleFlow, 'c2');
    await world.settle();
    expect(await world.link(peopleFlow, 'c2')).toMatchObject({ state: 'held', trouble: { cause: `already-linked:${key}` } });
    expect((await world.link(peopleFlow, 'c1'))?.keys).toEqual({ a: 'c1', b: key });
  });

  it('several candidates are held until a person says create', async () => {
    const world = new World({ marked: false });
    world.quill.contact({ id: 'c1', name: 'Ada' });
    world.abacus.putPerson({ key: 'A1', name: 'ada' });
    world.abacus.putPerson({ key: 'A2', name: 'ADA' });
    await world.change(peopleFlow, 'c1');
    await world.settle();
    expect(await world.link(peopleFlow, 'c1')).toMatchObject({ state: 'held', trouble: { cause: 'ambiguous' } });
    expect(world.abacus.people).toHaveLength(2);
  });

  it('an uncertain creation is looked for by its mark before it is tried again', async () => {
    const world = new World();
    world.quill.contact({ id: 'c1', name: 'Ada' });
    world.abacus.fail('addPerson', 'lost-after');
    await world.change(peopleFlow, 'c1');
    await world.settle();
    expect(world.abacus.people).toHaveLength(1);
    expect(await world.outcomes(peopleFlow, 'c1')).toContain('created');
    world.quill.contact({ id: 'c2', name: 'Bo' });
    world.abacus.fail('addPerson', 'lost-before');
    await world.change(peopleFlow, 'c2');
    await world.settle();
    expect(world.abacus.people).toHaveLength(2);
  });

  it('a record deleted on one side deletes nothing on the other', async () => {
    const { world, key } = await pair();
    world.quill.removeContact('c1');
    await world.change(peopleFlow, 'c1');
    await world.settle();
    expect(await world.link(peopleFlow, 'c1')).toMatchObject({ state: 'gone' });
    expect(world.abacus.person(key)).toBeDefined();
    expect(await world.outcomes(peopleFlow, 'c1')).toContain('noted');
  });

  it('a counterpart that is gone is a person’s to decide, not made anew silently', async () => {
    const { world, key } = await pair();
    world.abacus.removePerson(key);
    world.quill.contact({ id: 'c1', phone: '8' });
    await world.change(peopleFlow, 'c1');
    await world.settle();
    expect(await world.link(peopleFlow, 'c1')).toMatchObject({ state: 'held', trouble: { cause: `counterpart-gone:${key}` } });
    expect(world.abacus.people).toEqual([]);
  });

  it('one way never writes the source, keeps edits of the target, and follows the source where it changes', async () => {
    const { world, key } = await pair({ direction: 'a-to-b' });
    world.abacus.putPerson({ key, points: '50', phone: '999' });
    await world.change(peopleFlow, key, { side: 'b' });
    await world.settle();
    expect(world.abacus.person(key)).toMatchObject({ points: '50', phone: '999' });
    world.quill.contact({ id: 'c1', phone: '10' });
    await world.change(peopleFlow, 'c1');
    await world.settle();
    expect(world.abacus.person(key)).toMatchObject({ points: '50', phone: '10' });
    expect(world.quill.contacts).toMatchObject([{ phone: '10', points: '0' }]);
    expect(world.quill.calls).not.toContain('changeContact');
  });
});
