import { expect, test } from 'vitest';
import { failedOf } from '../../../sandbox/rehearsal/event-source.ts';

const batch = ['a', 'b'].map((MessageId) => ({ MessageId }));
const answer = (value: unknown) => ({ ok: true, payload: JSON.stringify(value) }) as const;

test.each<[string, unknown, readonly string[] | 'all']>([
  ['no answer', null, []],
  ['an empty list', { batchItemFailures: [] }, []],
  ['null', { batchItemFailures: null }, []],
  ['one of two', { batchItemFailures: [{ itemIdentifier: 'b' }] }, ['b']],
  ['one that is not in the batch', { batchItemFailures: [{ itemIdentifier: 'c' }] }, 'all'],
  ['an empty name', { batchItemFailures: [{ itemIdentifier: '' }] }, 'all'],
  ['no name', { batchItemFailures: [{}] }, 'all'],
  ['another member', { batchItemFailures: [{ id: 'a' }] }, 'all'],
  ['no list', { batchItemFailures: 'a' }, 'all'],
])('a function that answers %s', (_, value, failed) => {
  const result = failedOf(answer(value), batch, true);
  expect(typeof result === 'string' ? 'all' : [...result]).toEqual(failed);
});

test('without item failures an answer means that all succeeded, and an error that none did', () => {
  expect(failedOf(answer({ batchItemFailures: [{ itemIdentifier: 'a' }] }), batch, false)).toEqual(new Set());
  expect(failedOf({ ok: false, failure: { errorType: 'E', errorMessage: 'm' } }, batch, true)).toBe('E: m');
});
