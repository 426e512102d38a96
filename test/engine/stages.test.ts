import { describe, expect, it } from 'vitest';
import type { PostTarget } from '../../lib/contracts/flow.ts';
import { resolveReferences } from '../../lib/engine/references.ts';
import type { Shift } from '../../lib/engine/shift.ts';
import { Failure } from '../../lib/failures.ts';
import { type Ctx, notes, people } from './quill-abacus.ts';
import { integration, notesFlow, peopleFlow, type Worker, World } from './world.ts';

type Target = (typeof notes)['target'];
type Draft = Target extends PostTarget<infer Meant, Ctx> ? Meant : never;

/** A world whose notes are written by a target of the test's own. */
async function worldWith(change: (world: World) => Partial<PostTarget<Draft, Ctx>>): Promise<{ world: World; worker: Worker }> {
  const world = new World();
  await world.withPerson();
  const flow = { ...notes, target: { ...notes.target, ...change(world) } };
  Object.assign(world.extra, { flows: [people(world.settings), flow] });
  world.quill.note({ id: 'n1' });
  await world.change(notesFlow, 'n1');
  return { world, worker: world.hire() };
}

const drafts = (world: World): number => world.abacus.calls.filter((call) => call === 'draft').length;

describe('the stages of a post', () => {
  it('a commit that runs on at the vendor goes on from what it saved, and writes nothing again', async () => {
    const seen: unknown[] = [];
    const { world, worker } = await worldWith((w) => ({
      async commit({ abacus }, _draft, ref, step) {
        seen.push(step.progress);
        if (step.progress === undefined) await step.save({ job: 7 });
        if (seen.length < 9) {
          const at = new Date(w.clock.now().getTime() + 30_000);
          throw new Failure('ConditionPending', { cause: 'job', sentence: 'Abacus is still at it.', at });
        }
        await abacus.post(ref);
      },
    }));
    const before = world.clock.now().getTime();
    await world.settle(worker);
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
    expect(seen).toEqual([undefined, ...Array.from({ length: 8 }, () => ({ job: 7 }))]);
    expect(drafts(world)).toBe(1);
    expect(world.clock.now().getTime() - before).toBeLessThan(300_000);
    expect(await world.outcomes(notesFlow, 'n1')).toEqual(['waiting', 'posted']);
  });

  it('a document written in parts goes on after a limit where it stopped', async () => {
    const parts: number[] = [];
    const { world, worker } = await worldWith(() => ({
      async prepare({ abacus }, draft, step) {
        const done = (step.progress as { parts: number } | undefined)?.parts ?? 0;
        let ref = step.located.is === 'draft' ? step.located.target : undefined;
        let page = ref === undefined ? undefined : (await abacus.read([ref]))[0];
        for (let part = done; part < 4; part++) {
          if (part === 2 && parts.length === 2) {
            parts.push(-1);
            throw new Failure('RateLimited', { sentence: 'Abacus says wait.' });
          }
          page = await abacus.draft(draft, ref);
          ref = page.ref;
          parts.push(part);
          await step.save({ parts: part + 1 }, ref);
        }
        if (page === undefined || ref === undefined) throw new Error('nothing written');
        return { target: ref, echo: page };
      },
    }));
    const before = world.clock.now().getTime();
    await world.settle(worker);
    expect(parts).toEqual([0, 1, -1, 2, 3]);
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
    expect(world.abacus.pages).toHaveLength(1);
    expect(world.clock.now().getTime() - before).toBeLessThan(30_000);
  });

  it('a document that needs several steps is located, prepared and committed for each, and booked at the end', async () => {
    let steps = 0;
    const { world, worker } = await worldWith(() => ({
      async locate(_context, asks) {
        return new Map(
          asks.map(({ draft, posting }) => [
            draft.mark,
            posting?.target === undefined ? { is: 'none' as const } : { is: 'draft' as const, target: posting.target, state: { steps } },
          ]),
        );
      },
      async prepare({ abacus }, draft, { located }) {
        const page = await abacus.draft(draft, located.is === 'draft' ? located.target : undefined);
        return { target: page.ref, echo: page };
      },
      async commit({ abacus }, _draft, ref) {
        steps++;
        if (steps === 8) await abacus.post(ref);
      },
      async confirm(_context, asks) {
        return new Map(
          asks.map((ask) => [
            ask.target,
            steps < 8 ? { is: 'more' as const } : { is: 'posted' as const, outcome: 'applied' as const, note: 'in 8 steps' },
          ]),
        );
      },
    }));
    await world.settle(worker);
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
    expect(await world.outcomes(notesFlow, 'n1')).toEqual(['applied']);
    expect(await world.link(notesFlow, 'n1')).toMatchObject({ state: 'synced', note: 'in 8 steps' });
  });

  it('an answer that cannot be understood leaves the outcome unknown: the hold’s replay looks before it writes', async () => {
    let first = true;
    const { world, worker } = await worldWith(() => ({
      async prepare({ abacus }, draft, { located }) {
        const page = await abacus.draft(draft, located.is === 'draft' ? located.target : undefined);
        if (first) {
          first = false;
          throw new Failure('ShapeUnexpected', { cause: 'shape', sentence: 'Abacus answered nonsense.' });
        }
        return { target: page.ref, echo: page };
      },
    }));
    await world.settle(worker);
    expect(await world.link(notesFlow, 'n1')).toMatchObject({ state: 'held', intent: { stage: 'prepare' } });
    await world.change(notesFlow, 'n1', { cause: 'replay' });
    await world.settle(worker);
    expect(world.abacus.pages).toHaveLength(1);
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
  });

  it('a document booked from an older state of its source is remembered as it was written, then corrected', async () => {
    const { world, worker } = await worldWith(() => ({}));
    world.abacus.fail('post', 'lost-after');
    await world.drain(worker);
    world.quill.note({ id: 'n1', amount: '11.00' });
    await world.settle(worker);
    expect(world.posted()).toEqual({ 'N-n1': '10.00', 'N-n1~R1': '-10', 'N-n1~2': '11.00' });
  });

  it('a source that steps back while its document was being booked has it found out and reversed', async () => {
    const { world, worker } = await worldWith(() => ({}));
    world.abacus.fail('post', 'lost-after');
    await world.drain(worker);
    world.quill.note({ id: 'n1', status: 'void' });
    await world.settle(worker);
    expect(world.posted()).toEqual({ 'N-n1': '10.00', 'N-n1~R1': '-10' });
  });

  it('a source that steps back before anything was written leaves nothing, after the last look', async () => {
    const { world, worker } = await worldWith(() => ({}));
    world.abacus.fail('draft', 'lost-before');
    await world.drain(worker);
    world.quill.note({ id: 'n1', status: 'open' });
    await world.settle(worker);
    expect(world.abacus.pages).toEqual([]);
    const link = await world.link(notesFlow, 'n1');
    expect(link).toMatchObject({ state: 'filtered', note: 'open' });
    expect(link).not.toHaveProperty('postings');
  });

  it('a document that already belongs to another record is held with the link kept', async () => {
    const { world, worker } = await worldWith(() => ({
      locate: async (_context, asks) => new Map(asks.map(({ draft }) => [draft.mark, { is: 'posted' as const, target: 'P1' }])),
    }));
    world.quill.note({ id: 'n2' });
    await world.settle(worker);
    await world.change(notesFlow, 'n2');
    await world.settle(worker);
    expect(await world.link(notesFlow, 'n1')).toMatchObject({ state: 'synced', keys: { b: 'P1' } });
    expect(await world.link(notesFlow, 'n2')).toMatchObject({ state: 'held', trouble: { cause: 'already-linked' }, keys: { a: 'n2' } });
  });
});

describe('references', () => {
  it('a record counts as here only when it is settled, and for exactly the state asked for', async () => {
    const world = new World();
    await world.withPerson();
    const header = (await world.link(peopleFlow, 'c1'))?.headers?.a ?? '';
    const reference = { name: 'person', flow: 'people', side: 'a' as const, key: 'c1', label: 'person c1' };
    const shift = { name: integration, desk: { links: world.database.links } } as Shift;
    const ask = async (more: object) => (await resolveReferences(shift, new Map([['x', [{ ...reference, ...more }]]]))).get('x');
    expect(await ask({})).toBeInstanceOf(Map);
    expect(await ask({ header })).toBeInstanceOf(Map);
    const other = await ask({ header: 'older' });
    expect(other).toBeInstanceOf(Failure);
    expect(other instanceof Failure && other.record).toMatchObject({ dependency: `${peopleFlow}|a|c1`, details: { header: 'older' } });
    const missing = await ask({ key: 'c9' });
    expect(missing instanceof Failure && missing.message).toBe('Waits for person c1, which is not here yet.');
  });
});
