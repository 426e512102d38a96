import { describe, expect, test } from 'vitest';
import type { ChangeMessage } from '../../lib/contracts/change.ts';
import type { FailureRecord } from '../../lib/failures.ts';
import type { HandTurnedClock } from '../../lib/memory/hand-turned-clock.ts';
import type { ChangeQueue, DeadLetters, QueueGauge, QueueName } from '../../lib/ports/change-queue.ts';

export interface ReceivedText {
  readonly handle: string;
  readonly body: string;
  readonly receiveCount: number;
}

export interface ChangeQueueWorld {
  readonly queue: ChangeQueue & QueueGauge;
  readonly letters: DeadLetters;
  readonly clock: HandTurnedClock;
  /** What the worker's trigger does: up to ten messages, hidden for a while. */
  receive(queue: QueueName, visibilitySeconds: number): Promise<readonly ReceivedText[]>;
  remove(queue: QueueName, handle: string): Promise<void>;
}

const reason: FailureRecord = {
  kind: 'MappingMissing',
  cause: 'account-map:EU Usage',
  sentence: 'Accounting code “EU Usage” — ünknown \u0001 😀 \uFFFE.',
  fix: 'Add it to accountMap.',
  actor: 'customer',
  details: { sent: '1.00' },
};

function message(key: string, more: Partial<ChangeMessage['changes'][number]> = {}): ChangeMessage {
  const change = {
    flow: 'acumatica-zuora.invoices',
    side: 'b' as const,
    key,
    cause: 'poll' as const,
    at: '2026-03-02T08:00:00.000Z',
    ...more,
  };
  return { version: 1, integration: 'acumatica-zuora', queue: 'live', changes: [change], attempt: 0 };
}

/** The guarantees of `ChangeQueue`, `DeadLetters` and `QueueGauge`, for every implementation. `open` answers empty queues, five deliveries at most. */
export function describeChangeQueue(name: string, open: () => Promise<ChangeQueueWorld>): void {
  async function drain(world: ChangeQueueWorld, queue: QueueName): Promise<readonly ChangeMessage[]> {
    const all: ChangeMessage[] = [];
    for (;;) {
      const batch = await world.receive(queue, 600);
      if (batch.length === 0) return all;
      for (const one of batch) {
        all.push(JSON.parse(one.body) as ChangeMessage);
        await world.remove(queue, one.handle);
      }
    }
  }
  const keys = (messages: readonly ChangeMessage[]) => messages.map((one) => one.changes[0]?.key).sort();

  describe(`change queue: ${name}`, () => {
    test('what was sent arrives on its own queue, every field unchanged', async () => {
      const world = await open();
      const sent = message('8ad0', { snapshot: { row: { text: 'ü 😀 "\n', amount: '1334.880' }, readAt: '2026-03-02T08:00:00.000Z' } });
      await world.queue.send('live', [{ body: sent }]);
      expect(await world.receive('bulk', 30)).toEqual([]);
      expect(await drain(world, 'live')).toEqual([sent]);
    });

    test('37 messages arrive, whatever batches they travelled in', async () => {
      const world = await open();
      const sent = Array.from({ length: 37 }, (_, index) => message(`key ${index}`));
      await world.queue.send(
        'bulk',
        sent.map((body) => ({ body })),
      );
      expect(keys(await drain(world, 'bulk'))).toEqual(keys(sent));
    });

    test('messages of 300 KB arrive, although ten of them are more than a request may hold', async () => {
      const world = await open();
      const row = { text: 'x'.repeat(300 * 1024) };
      const sent = Array.from({ length: 5 }, (_, index) =>
        message(`key ${index}`, { snapshot: { row, readAt: '2026-03-02T08:00:00.000Z' } }),
      );
      await world.queue.send(
        'live',
        sent.map((body) => ({ body })),
      );
      const got = await drain(world, 'live');
      expect(keys(got)).toEqual(keys(sent));
      expect(got.every((one) => JSON.stringify(one.changes[0]?.snapshot?.row) === JSON.stringify(row))).toBe(true);
    });

    test('nothing to send is no mistake, and a delay that cannot be is', async () => {
      const world = await open();
      await world.queue.send('live', []);
      await world.queue.bury([]);
      await expect(world.queue.send('live', [{ body: message('8ad0'), delaySeconds: 901 }])).rejects.toThrow(/900/);
      expect(await world.queue.depth('live')).toEqual({ waiting: 0, inFlight: 0, delayed: 0 });
    });

    test('a delayed message arrives when its time has come', async () => {
      const world = await open();
      await world.queue.send('live', [{ body: message('8ad0'), delaySeconds: 60 }]);
      expect(await world.queue.depth('live')).toEqual({ waiting: 0, inFlight: 0, delayed: 1 });
      world.clock.advance(59_000);
      expect(await world.receive('live', 30)).toEqual([]);
      world.clock.advance(1000);
      expect(keys(await drain(world, 'live'))).toEqual(['8ad0']);
    });

    test('a received message is hidden, comes back with a higher count, and is gone once removed', async () => {
      const world = await open();
      await world.queue.send('live', [{ body: message('8ad0') }]);
      expect((await world.receive('live', 30)).map((one) => one.receiveCount)).toEqual([1]);
      expect(await world.queue.depth('live')).toEqual({ waiting: 0, inFlight: 1, delayed: 0 });
      expect(await world.receive('live', 30)).toEqual([]);
      world.clock.advance(30_000);
      const [again] = await world.receive('live', 30);
      expect(again?.receiveCount).toBe(2);
      await world.remove('live', again?.handle ?? '');
      world.clock.advance(60_000);
      expect(await world.receive('live', 30)).toEqual([]);
    });

    test('a message nobody finishes becomes a dead letter after five deliveries', async () => {
      const world = await open();
      await world.queue.send('live', [{ body: message('poison') }]);
      for (let count = 1; count <= 5; count += 1) {
        expect((await world.receive('live', 1)).map((one) => one.receiveCount)).toEqual([count]);
        world.clock.advance(1000);
      }
      expect(await world.receive('live', 1)).toEqual([]);
      expect(await world.letters.count()).toBe(1);
      const [letter] = await world.letters.receive({ limit: 10, visibilitySeconds: 30 });
      expect(letter?.body).toBe(JSON.stringify(message('poison')));
      expect(letter).not.toHaveProperty('reason');
    });

    test('a buried message keeps its reason word for word beside the body', async () => {
      const world = await open();
      await world.queue.bury([{ body: message('8ad0'), reason }]);
      const [letter] = await world.letters.receive({ limit: 1, visibilitySeconds: 30 });
      expect(letter?.body).toBe(JSON.stringify(message('8ad0')));
      expect(letter?.reason).toEqual({ ...reason, sentence: expect.stringContaining('ünknown \u0001 😀') });
      expect(letter?.sentAt).toEqual(world.clock.now());
    });

    test('text that is no message is buried as it came', async () => {
      const world = await open();
      await world.queue.bury([{ body: '{"half":', reason }]);
      expect((await world.letters.receive({ limit: 1, visibilitySeconds: 30 }))[0]?.body).toBe('{"half":');
    });

    test('25 dead letters are received in one call, hidden, released and removed', async () => {
      const world = await open();
      await world.queue.bury(Array.from({ length: 25 }, (_, index) => ({ body: message(`key ${index}`), reason })));
      const letters = await world.letters.receive({ limit: 22, visibilitySeconds: 60 });
      expect(new Set(letters.map((letter) => letter.id)).size).toBe(22);
      expect(await world.letters.receive({ limit: 10, visibilitySeconds: 1 })).toHaveLength(3);
      await world.letters.release(letters.slice(0, 12).map((letter) => letter.handle));
      await world.letters.remove(letters.slice(12).map((letter) => letter.handle));
      expect(await world.letters.receive({ limit: 25, visibilitySeconds: 60 })).toHaveLength(12);
      expect(await world.letters.count()).toBe(15);
    });
  });
}
