import { expect, test } from 'vitest';
import { nextDue, startScheduler } from '../../../sandbox/cloud/scheduler.ts';
import { HandTurnedClock } from './hand-turned-clock.ts';

const start = new Date('2026-03-02T08:00:00Z');

test.each([
  ['rate(1 minute)', '2026-03-02T08:00:00Z', '2026-03-02T08:01:00Z'],
  ['rate(5 minutes)', '2026-03-02T08:07:00Z', '2026-03-02T08:10:00Z'],
  ['rate(5 minutes)', '2026-03-02T08:10:00Z', '2026-03-02T08:15:00Z'],
  ['rate(2 days)', '2026-03-02T08:00:00Z', '2026-03-04T08:00:00Z'],
  ['cron(0 6 * * ? *)', '2026-03-02T08:00:00Z', '2026-03-03T06:00:00Z'],
  ['cron(0/15 * ? * MON-FRI *)', '2026-03-06T23:50:00Z', '2026-03-09T00:00:00Z'],
  ['cron(0 3 L * ? *)', '2026-03-02T08:00:00Z', '2026-03-31T03:00:00Z'],
  ['at(2026-03-02T09:00:00)', '2026-03-02T08:00:00Z', '2026-03-02T09:00:00Z'],
])('%s after %s is due at %s', (expression, after, due) => {
  expect(nextDue(expression, { start, after: new Date(after) })?.toISOString()).toBe(new Date(due).toISOString());
});

test('a time that is over is never due again', () => {
  expect(nextDue('at(2026-03-02T07:00:00)', { start, after: start })).toBeUndefined();
});

test.each(['rate(1 minutes)', 'rate(5 minute)', 'rate(0 minutes)', 'every day', 'rate(5 weeks)'])('%s is refused', (expression) => {
  expect(() => nextDue(expression, { start, after: start })).toThrow(RangeError);
});

test('schedules fire as the clock turns, and one that fails goes on', async () => {
  const clock = new HandTurnedClock();
  const fired: string[] = [];
  const failed: string[] = [];
  const record = (name: string, fails = false) => ({
    name,
    fire: async (due: Date) => {
      fired.push(`${name} ${due.toISOString().slice(11, 16)}`);
      if (fails) throw new Error('no');
    },
  });
  const scheduler = startScheduler({
    clock,
    onError: (name) => failed.push(name),
    schedules: [
      { ...record('poll', true), expression: 'rate(5 minutes)' },
      { ...record('report'), expression: 'cron(9 8 * * ? *)' },
    ],
  });
  await clock.turn(10 * 60_000);
  expect(fired).toEqual(['poll 08:05', 'report 08:09', 'poll 08:10']);
  expect(failed).toEqual(['poll', 'poll']);
  expect(scheduler.next()['poll']?.toISOString()).toBe('2026-03-02T08:15:00.000Z');
  scheduler.close();
  await clock.turn(60 * 60_000);
  expect(fired).toHaveLength(3);
});
