import { describe, expect, it } from 'vitest';
import { isDue, nextByCron, parseCron } from '../../lib/engine/cadence.ts';
import { afterFailure } from '../../lib/engine/dispositions.ts';
import { nextLook } from '../../lib/engine/looks.ts';
import { noteWrite, refuseLoop } from '../../lib/engine/loop-breaker.ts';
import { type MergeInput, merge } from '../../lib/engine/merge.ts';
import { packChanges } from '../../lib/engine/pack.ts';
import { Failure, type FailureKind } from '../../lib/failures.ts';

const now = new Date('2026-03-02T08:00:00Z');
const random = { next: () => 1 };

describe('what happens after a failure', () => {
  const again = (delayMs: number, spends: boolean, stopsBatch: boolean) => ({ do: 'again', delayMs, spends, stopsBatch });
  it.each<[FailureKind, number, string | undefined, unknown]>([
    ['RateLimited', 0, '2026-03-02T08:01:00Z', again(60_000, false, true)],
    ['RateLimited', 0, '2026-03-05T08:00:00Z', again(900_000, false, true)],
    ['RateLimited', 0, '2026-03-02T07:00:00Z', again(1_000, false, true)],
    ['RateLimited', 0, undefined, again(5_000, false, true)],
    ['LaneBusy', 3, undefined, again(40_000, false, true)],
    ['Unreachable', 1, undefined, again(10_000, true, true)],
    ['Unreachable', 12, undefined, { do: 'examine' }],
    ['VendorUnavailable', 0, undefined, again(5_000, true, false)],
    ['VendorUnavailable', 11, undefined, again(900_000, true, false)],
    ['VendorUnavailable', 12, undefined, { do: 'examine' }],
    ['TokenExpired', 0, undefined, again(1_000, true, false)],
    ['TokenExpired', 2, undefined, { do: 'pause' }],
    ['LockContention', 4, undefined, again(80_000, true, false)],
    ['LockContention', 5, undefined, { do: 'hold' }],
    ['WriteUncertain', 9, undefined, again(60_000, false, false)],
    ['LeaseLost', 0, undefined, again(30_000, false, false)],
    ['CredentialRefused', 0, undefined, { do: 'pause' }],
    ['WrongAddress', 0, undefined, { do: 'pause' }],
    ['ConfigurationInvalid', 0, undefined, { do: 'pause' }],
    ['PermissionMissing', 0, undefined, { do: 'hold' }],
    ['FeatureOff', 0, undefined, { do: 'hold' }],
    ['RequestRejected', 0, undefined, { do: 'hold' }],
    ['RequestMalformed', 0, undefined, { do: 'hold' }],
    ['MappingMissing', 0, undefined, { do: 'hold' }],
    ['NeedsPerson', 0, undefined, { do: 'hold' }],
    ['ShapeUnexpected', 0, undefined, { do: 'hold' }],
    ['Defect', 0, undefined, { do: 'hold' }],
    ['DependencyMissing', 0, undefined, { do: 'wait' }],
    ['ConditionPending', 0, undefined, { do: 'wait' }],
    ['ConditionPending', 0, '2026-03-02T08:00:30Z', { do: 'wait', delayMs: 30_000 }],
    ['ConditionPending', 0, '2026-03-03T08:00:00Z', { do: 'wait' }],
    ['RecordGone', 0, undefined, { do: 'end' }],
    ['SignatureRejected', 0, undefined, { do: 'end' }],
    ['WebhookUnknown', 0, undefined, { do: 'end' }],
  ])('%s after %i attempts, told %s', (kind, attempt, at, expected) => {
    const failure = new Failure(kind, { sentence: 'x', ...(at === undefined ? {} : { at: new Date(at) }) });
    expect(afterFailure(failure.record, { attempt, now, random })).toEqual(expected);
  });

  it('chance takes up to half of a delay, never more', () => {
    const { record } = new Failure('VendorUnavailable', { sentence: 'x' });
    expect(afterFailure(record, { attempt: 30 - 20, now, random: { next: () => 0 } })).toMatchObject({ delayMs: 450_000 });
  });
});

describe('looks after an unknown outcome', () => {
  const sentAt = '2026-03-02T08:00:00.000Z';
  it.each([
    [0, '2026-03-02T08:01:00.000Z'],
    [59_999, '2026-03-02T08:01:00.000Z'],
    [60_000, '2026-03-02T08:05:00.000Z'],
    [299_000, '2026-03-02T08:05:00.000Z'],
    [300_000, undefined],
  ])('looked at after %i ms', (ms, expected) => {
    expect(nextLook(sentAt, [300_000, 60_000], new Date(now.getTime() + ms))?.toISOString()).toBe(expected);
  });
});

describe('the loop breaker', () => {
  it('lets five writes of a stage pass within an hour and stops the sixth', () => {
    const at = (minutes: number): Date => new Date(now.getTime() + minutes * 60_000);
    let writes: readonly string[] | undefined;
    for (let minute = 0; minute < 5; minute++) {
      refuseLoop(writes, 'prepare', at(minute));
      writes = noteWrite(writes, 'prepare', at(minute));
    }
    expect(() => refuseLoop(writes, 'prepare', at(5))).toThrow(/written 5 times/);
    expect(() => refuseLoop(writes, 'commit', at(5))).not.toThrow();
    expect(() => refuseLoop(writes, 'prepare', at(60))).not.toThrow();
    expect(noteWrite(writes, 'prepare', at(62))).toHaveLength(3);
  });
});

describe('cadence', () => {
  it.each([
    ['0 2 * * *', '2026-03-02T08:00:00Z', '2026-03-03T02:00:00.000Z'],
    ['*/15 * * * *', '2026-03-02T08:00:00Z', '2026-03-02T08:15:00.000Z'],
    ['30 6 * * 1-5', '2026-03-06T07:00:00Z', '2026-03-09T06:30:00.000Z'],
    ['0 0 1 * *', '2026-03-02T08:00:00Z', '2026-04-01T00:00:00.000Z'],
    ['0 0 13 * 5', '2026-03-02T08:00:00Z', '2026-03-06T00:00:00.000Z'],
    ['5,35 8-9 * 3 7', '2026-03-02T08:00:00Z', '2026-03-08T08:05:00.000Z'],
    ['0 0 30 2 *', '2026-03-02T08:00:00Z', undefined],
  ])('%s after %s', (cron, after, expected) => {
    expect(nextByCron(cron, new Date(after))?.toISOString()).toBe(expected);
  });

  it.each(['* * * *', '61 * * * *', 'a * * * *', '5-1 * * * *', '*/0 * * * *'])('%s is refused', (cron) => {
    expect(() => parseCron(cron)).toThrow(RangeError);
  });

  it('minutes count from the last run, with half a minute of grace', () => {
    expect(isDue(15, undefined, now)).toBe(true);
    expect(isDue(15, '2026-03-02T07:45:20Z', now)).toBe(true);
    expect(isDue(15, '2026-03-02T07:46:00Z', now)).toBe(false);
  });
});

describe('a merge', () => {
  const input = (more: Partial<MergeInput>): MergeInput => ({
    base: { name: 'Ada', phone: '1' },
    sides: { a: { name: 'Ada', phone: '1' }, b: { name: 'Ada', phone: '1' } },
    echo: {},
    direction: 'both',
    policy: 'a-wins',
    changedAt: {},
    additive: new Set(),
    writable: () => true,
    onAdopt: 'fill-empty',
    from: 'a',
    ...more,
  });
  const row = (name: string, phone: string) => ({ name, phone });

  it.each<[string, Partial<MergeInput>, unknown]>([
    ['nothing changed', {}, { a: {}, b: {} }],
    ['a changed', { sides: { a: row('Bo', '1'), b: row('Ada', '1') } }, { a: {}, b: { name: 'Bo' } }],
    ['b changed', { sides: { a: row('Ada', '1'), b: row('Bo', '1') } }, { a: { name: 'Bo' }, b: {} }],
    ['b changed, one way', { direction: 'a-to-b', sides: { a: row('Ada', '1'), b: row('Bo', '1') } }, { a: {}, b: {} }],
    ['both alike', { sides: { a: row('Bo', '1'), b: row('Bo', '1') } }, { a: {}, b: {} }],
    ['different fields', { sides: { a: row('Bo', '1'), b: row('Ada', '2') } }, { a: { phone: '2' }, b: { name: 'Bo' } }],
    ['conflict, b wins', { policy: 'b-wins', sides: { a: row('Bo', '1'), b: row('Cy', '1') } }, { a: { name: 'Cy' }, b: {} }],
    [
      'conflict, one way, b wins',
      { policy: 'b-wins', direction: 'a-to-b', sides: { a: row('Bo', '1'), b: row('Cy', '1') } },
      { a: {}, b: {} },
    ],
    ['conflict, hold', { policy: 'hold', sides: { a: row('Bo', '1'), b: row('Cy', '1') } }, { a: {}, b: {} }],
    ['cleared', { sides: { a: row('Ada', ''), b: row('Ada', '1') } }, { a: {}, b: { phone: undefined } }],
    [
      'absent, null and empty are one',
      { base: { name: 'Ada' }, sides: { a: row('Ada', ''), b: { name: 'Ada', phone: null } } },
      { a: {}, b: {} },
    ],
    [
      'a side without the field',
      { sides: { a: row('Ada', '2'), b: { name: 'Ada' } }, writable: (_side, field) => field === 'name' },
      { a: {}, b: {} },
    ],
    ['an echo is no change', { echo: { b: { name: 'ADA' } }, sides: { a: row('Ada', '1'), b: row('ADA', '1') } }, { a: {}, b: {} }],
    [
      'a change after an echo',
      { echo: { b: { name: 'ADA' } }, sides: { a: row('Ada', '1'), b: row('ADB', '1') } },
      { a: { name: 'ADB' }, b: {} },
    ],
    [
      'back to the base is agreement',
      { echo: { b: { name: 'ADA' } }, sides: { a: row('Bo', '1'), b: row('Ada', '1') } },
      { a: {}, b: { name: 'Bo' } },
    ],
  ])('%s', (_name, more, writes) => {
    expect(merge(input(more)).writes).toEqual(writes);
  });

  it('newest without two instants is a person’s to decide', () => {
    const sides = { a: row('Bo', '1'), b: row('Cy', '1') };
    expect(merge(input({ policy: 'newest', sides })).conflicts).toMatchObject([{ field: 'name', winner: undefined }]);
    const changedAt = { a: now, b: new Date(now.getTime() - 1) };
    expect(merge(input({ policy: 'newest', sides, changedAt })).conflicts).toMatchObject([{ field: 'name', winner: 'a' }]);
  });

  it('the loser of a one-way conflict is not asked again until the source changes once more', () => {
    const sides = { a: row('Bo', '1'), b: row('Cy', '1') };
    const first = merge(input({ policy: 'b-wins', direction: 'a-to-b', sides }));
    const second = merge(input({ policy: 'b-wins', direction: 'a-to-b', sides, base: first.base, echo: first.echo }));
    expect(second.conflicts).toEqual([]);
    expect(second.writes).toEqual({ a: {}, b: {} });
  });

  it.each([
    ['plain', { base: { n: '10' }, a: '12', b: '9.5' }, '11.5'],
    ['nothing', { base: { n: '10' }, a: '10', b: '10.0' }, '10'],
    ['first time', { base: {}, a: '3', b: '4' }, '7'],
  ])('levels add up: %s', (_name, { base, a, b }, sum) => {
    const merged = merge(input({ base, additive: new Set(['n']), sides: { a: { n: a }, b: { n: b } } }));
    expect(merged.base['n'] ?? '10').toBe(sum);
    expect(merged.conflicts).toEqual([]);
  });

  it.each([
    ['neither side has it', '5', '3'],
    ['a has it', '8', '3'],
    ['b has it', '5', '8'],
    ['both have it', '8', '8'],
  ])('a sum announced before a lost answer is the same sum when %s', (_name, a, b) => {
    const sums = { n: { sum: '8', a: '5', b: '3' } };
    const merged = merge(input({ base: { n: '0' }, additive: new Set(['n']), sides: { a: { n: a }, b: { n: b } }, sums }));
    expect(merged.base['n']).toBe('8');
    expect({ ...merged.writes.a, ...merged.writes.b }['n'] ?? '8').toBe('8');
  });
});

describe('packing', () => {
  it('puts changes of one flow together, few and small', () => {
    const change = (flow: string, key: number, row: string) => ({
      flow,
      side: 'a' as const,
      key: String(key),
      cause: 'poll' as const,
      at: now.toISOString(),
      snapshot: { row, readAt: now.toISOString() },
    });
    const small = Array.from({ length: 45 }, (_, key) => change('x-y.one', key, 'r'));
    const large = Array.from({ length: 12 }, (_, key) => change('x-y.two', key, 'r'.repeat(19_000)));
    const huge = [change('x-y.three', 1, 'r'.repeat(300_000))];
    const messages = packChanges('x-y', { queue: 'bulk', changes: [...small, ...large, ...huge], delayMs: 5_000_000 });
    expect(messages.map(({ body }) => body.changes.length)).toEqual([20, 20, 5, 10, 2, 1]);
    expect(messages.every(({ body, delaySeconds }) => JSON.stringify(body).length < 210_000 && delaySeconds === 900)).toBe(true);
    expect(messages.at(-1)?.body.changes[0]?.snapshot).toBeUndefined();
  });
});
