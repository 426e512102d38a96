import * as z from 'zod';

/**
 * The scenario file. `docs/scenarios.md` explains it for people; the JSON Schema for editors is printed from here.
 * Unknown members are refused everywhere, so that a misspelt expectation cannot pass silently.
 */

/** `90 seconds`, `15 minutes`, `6 hours`, `3 days`. */
const duration = z
  .string()
  .regex(/^\d+ (second|minute|hour|day)s?$/, 'a number and a unit: "15 minutes"')
  .transform((text) => {
    const [count = '0', unit = ''] = text.split(' ');
    const unitMs = unit.startsWith('second') ? 1000 : unit.startsWith('minute') ? 60_000 : unit.startsWith('hour') ? 3_600_000 : 86_400_000;
    return Number(count) * unitMs;
  });

const record = z.record(z.string(), z.unknown());

/** Expected records: a list (subset match, each expected one must be found) or a count, or both. */
const expectedRecords = z.union([
  z.array(record),
  z.strictObject({
    count: z.number().int().min(0).optional().describe('Exactly this many records in all'),
    where: record.optional().describe('Look only at records that contain these fields'),
    include: z.array(record).optional().describe('Each of these is contained in one of the records'),
    none: z.array(record).optional().describe('None of the records contains any of these'),
  }),
]);

/** A number, or a comparison: `<= 5`, `>= 1`. */
const expectedNumber = z.union([
  z.number().int().min(0),
  z.string().regex(/^(<=|>=|<|>) ?\d+$/, 'a number or a comparison such as "<= 5"'),
]);

export const expectationSchema = z.strictObject({
  systems: z.record(z.string(), z.record(z.string(), expectedRecords)).optional().describe('Records per system and noun'),
  links: z
    .array(
      z.strictObject({
        flow: z.string().optional(),
        record: z.string().describe('Label, key, or beginning of the label'),
        state: z.enum(['new', 'working', 'synced', 'waiting', 'held', 'filtered', 'gone', 'none']).optional(),
        cause: z.string().optional().describe('Cause of the hold or wait; * stands for any characters'),
        note: z.string().optional(),
        target: z.string().optional(),
      }),
    )
    .optional(),
  audit: z
    .array(
      z.strictObject({
        record: z.string().optional(),
        flow: z.string().optional(),
        outcome: z.string().optional(),
        reason: z.string().optional(),
        cause: z.string().optional(),
        sentence: z.string().optional().describe('Contained in the sentence'),
        count: expectedNumber.optional().describe('How many entries match; default at least one'),
      }),
    )
    .optional(),
  holds: z
    .record(z.string(), expectedNumber)
    .optional()
    .describe('Number of held records per cause; * in a cause stands for any characters. {} means none at all'),
  waiting: z.record(z.string(), expectedNumber).optional().describe('Number of waiting records per cause. {} means none at all'),
  deadLetters: expectedNumber.optional(),
  calls: z
    .record(z.string(), z.record(z.string(), expectedNumber))
    .optional()
    .describe('Calls per system and operation since the last reset; "*" counts all'),
  writes: z.record(z.string(), expectedNumber).optional().describe('Calls per system that are not reads'),
  mostInFlight: z.record(z.string(), expectedNumber).optional(),
  alerts: z
    .array(z.strictObject({ subject: z.string().describe('Contained in the subject'), count: expectedNumber.optional() }))
    .optional(),
  webhooks: z
    .strictObject({ accepted: expectedNumber.optional(), repeated: expectedNumber.optional(), refused: expectedNumber.optional() })
    .optional(),
  outcomes: z
    .record(z.string(), z.record(z.string(), expectedNumber))
    .optional()
    .describe('Outcomes counted per flow, also those that leave no audit entry: { invoices: { unchanged: 1 } }'),
  quiet: z.boolean().optional().describe('A full second poll and a repeat of every webhook writes nothing'),
});

const fault = z.strictObject({
  system: z.string(),
  operation: z.string().optional().describe('`PUT /Invoice`, `GET /object-query/*`; absent: every call'),
  kind: z.enum(['delay', 'drop-before', 'drop-after', 'status', 'status-after', 'truncate']),
  skip: z.number().int().min(0).optional(),
  times: z.number().int().min(1).optional(),
  ms: z.number().int().min(0).optional(),
  status: z.number().int().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.string().optional(),
});

const operator = z.union([
  z.strictObject({
    replay: z.strictObject({
      record: z.string().optional(),
      cause: z.string().optional(),
      flow: z.string().optional(),
      held: z.literal(true).optional(),
    }),
  }),
  z.strictObject({ redrive: z.union([z.literal('all'), z.string()]) }),
  z.strictObject({ purge: z.literal('all') }),
  z.strictObject({ map: z.strictObject({ table: z.string(), row: z.union([record, z.string(), z.null()]), key: z.string().optional() }) }),
  z.strictObject({ mode: z.strictObject({ flow: z.string(), mode: z.enum(['live', 'preview', 'paused', 'off']) }) }),
  z.strictObject({ link: z.strictObject({ flow: z.string(), a: z.string(), b: z.string() }) }),
  z.strictObject({ unlink: z.strictObject({ flow: z.string(), record: z.string() }) }),
  z.strictObject({ decide: z.strictObject({ record: z.string(), decision: z.string() }) }),
]);

export const stepSchema = z.union([
  z.strictObject({
    act: z.record(z.string(), z.union([record, z.array(record)])).describe('What a person or the vendor does, per system'),
  }),
  z.strictObject({ seed: z.record(z.string(), record) }),
  z.strictObject({
    poll: z
      .union([z.literal('all'), z.array(z.string())])
      .describe('Polls these flows now, due or not, and works until nothing is left to do at once'),
  }),
  z.strictObject({ backfill: z.union([z.literal('all'), z.array(z.string())]) }),
  z.strictObject({ work: z.literal('done').describe('Workers run until no message is visible') }),
  z.strictObject({ pass: duration.describe('Time passes: polls, workers, retries, sweeps and webhooks run as they fall due') }),
  z
    .strictObject({ until: expectationSchema, within: duration })
    .describe('Time passes until this holds; fails when it does not within the time'),
  z.strictObject({
    webhooks: z
      .union([
        z.literal('deliver'),
        z.literal('lose'),
        z.literal('keep'),
        z.strictObject({ repeat: z.number().int().min(1), newRequestId: z.boolean().optional() }),
        z.strictObject({ reverse: z.literal(true) }),
      ])
      .describe(
        'What happens to the webhooks that are due: deliver them, lose them, keep them for later, deliver each so many times, deliver newest first',
      ),
  }),
  z.strictObject({
    request: z
      .strictObject({
        path: z.string(),
        method: z.string().optional(),
        headers: z.record(z.string(), z.string()).optional(),
        body: z.string().optional(),
        expectStatus: z.number().int().optional(),
      })
      .describe('A raw request to a webhook address: forged, unsigned, broken'),
  }),
  z.strictObject({ fault }),
  z.strictObject({ faults: z.literal('clear') }),
  z.strictObject({
    crash: z
      .strictObject({
        before: z.string().optional().describe('`acumatica PUT /Invoice`, `links.commit`, `queue.send`; * for any characters'),
        after: z.string().optional(),
        skip: z.number().int().min(0).optional(),
      })
      .describe('The next worker to reach this effect dies there'),
  }),
  z.strictObject({ operator }),
  z.strictObject({ resetCalls: z.literal(true) }),
  z.strictObject({ expect: expectationSchema }),
]);

export const scenarioSchema = z.strictObject({
  $schema: z.string().optional(),
  scenario: z.string().min(3).describe('One sentence: what this shows'),
  about: z.string().optional(),
  integration: z.string().describe('The integration it is about'),
  start: z.iso.datetime().describe('Virtual time at the beginning (UTC)'),
  seed: z.number().int().default(1),
  workers: z.number().int().min(1).max(8).default(1),
  config: z
    .strictObject({
      settings: record.optional().describe('Laid over the settings of the company'),
      flows: record.optional(),
      connections: z.record(z.string(), record).optional().describe('Laid over the settings of a connection, by system'),
      mode: z.enum(['live', 'preview', 'paused', 'off']).optional(),
    })
    .default({}),
  given: z
    .strictObject({
      company: z.string().optional().describe('A named company to begin with; docs/scenarios.md lists them'),
      options: z.record(z.string(), record).optional().describe('Options of a simulator, per system'),
    })
    .catchall(record)
    .default({}),
  when: z.array(stepSchema).default([]),
  // biome-ignore lint/suspicious/noThenProperty: given, when, then are the words of a scenario.
  then: expectationSchema.default({}),
});

export type Scenario = z.infer<typeof scenarioSchema>;
export type Step = z.infer<typeof stepSchema>;
export type Expectation = z.infer<typeof expectationSchema>;
