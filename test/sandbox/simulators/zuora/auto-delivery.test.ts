import { describe, expect, it } from 'vitest';
import { createZuoraSimulator } from '../../../../sandbox/simulators/zuora/simulator.ts';
import { invoiceOne, kestrel, seededRandom, start } from './stage.ts';

/** A clock whose sleepers wake when it is turned. */
function turnedClock() {
  let nowMs = Date.parse(start);
  let sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];
  return {
    now: () => new Date(nowMs),
    sleep: (ms: number) =>
      new Promise<void>((resolve) => {
        sleepers.push({ atMs: nowMs + ms, wake: resolve });
      }),
    async turn(ms: number) {
      nowMs += ms;
      const due = sleepers.filter((sleeper) => sleeper.atMs <= nowMs);
      sleepers = sleepers.filter((sleeper) => sleeper.atMs > nowMs);
      for (const sleeper of due) sleeper.wake();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe('automatic delivery', () => {
  it('sends within a second, gives a silent receiver up after 25 seconds, and ends when stopped', async () => {
    const clock = turnedClock();
    const received: string[] = [];
    let silent = false;
    const simulator = createZuoraSimulator(
      {
        clock,
        random: seededRandom(),
        async fetch(request) {
          received.push(await request.text());
          return silent ? new Promise<Response>(() => {}) : Response.json({ success: true });
        },
      },
      { autoDeliver: true },
    );
    await simulator.seed(kestrel);
    await simulator.act({
      action: 'register-callouts',
      url: 'https://hooks.mlconnector.example/zuora',
      secret: 's',
      events: ['InvoicePosted'],
    });
    await simulator.act({ action: 'create-invoice', ...invoiceOne });
    await clock.turn(1_000);
    expect(received).toHaveLength(1);
    silent = true;
    await simulator.act({ action: 'create-invoice', ...invoiceOne, number: 'INV-2' });
    await clock.turn(1_000);
    await clock.turn(25_000);
    expect(simulator.records('callouts').map((row) => [row['state'], row['lastCode']])).toEqual([
      ['delivered', 200],
      ['waiting', -1],
    ]);
    expect(simulator.nextDue()?.toISOString()).toBe('2026-03-02T12:45:36.000Z');
    simulator.stop();
    silent = false;
    await clock.turn(31 * 60_000);
    expect(received).toHaveLength(2);
  });
});
