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
export const expectedListSchema = z.strictObject({
  count: z.number().int().min(0).optional().describe('Exactly this many records in all'),
  where: record.optional().describe('Look only at records that contain these fields'),
  include: z.array(record).optional().describe('Each of these is contained in a record of its own'),
  none: z.array(record).optional().describe('None of the records contains any of these'),
});
export type ExpectedList = z.infer<typeof expectedListSchema>;

const expectedRecords = z.union([z.array(record), expectedListSchema]);

/** A number, or a comparison: `<= 5`, `>= 1`. */
const expectedNumber = z.union([
  z.number().int().min(0),
  z.string().regex(/^(<=|>=|<|>) ?\d+$/, 'a number or a comparison such as "<= 5"'),
]);
export type ExpectedNumber = z.infer<typeof expectedNumber>;

const linkState = z.enum(['new', 'working', 'synced', 'waiting', 'held', 'filtered', 'gone', 'none']);

export const expectationSchema = z.strictObject({
  systems: z.record(z.string(), z.record(z.string(), expectedRecords)).optional().describe('Records per system and noun'),
  links: z
    .array(
      z.strictObject({
        flow: z.string().optional(),
        record: z.string().describe('Label, beginning of the label, or key on either side'),
        state: linkState.optional().describe('`none`: the connector knows no such record'),
        cause: z.string().optional().describe('Cause of the hold or wait; * stands for any characters'),
        note: z.string().optional().describe('* stands for any characters'),
        target: z.string().optional().describe('Key of a target document; * stands for any characters'),
      }),
    )
    .optional(),
  audit: z
    .array(
      z.strictObject({
        record: z.string().optional().describe('Label, beginning of the label, or key'),
        flow: z.string().optional(),
        outcome: z.string().optional(),
        reason: z.string().optional().describe('* stands for any characters'),
        cause: z.string().optional().describe('Why the record was looked at: webhook, poll, replay, …'),
        sentence: z.string().optional().describe('Contained in the sentence'),
        fields: record.optional().describe('Contained in the entry: before, after, money, target'),
        count: expectedNumber.optional().describe('How many entries match; default at least one'),
      }),
    )
    .optional(),
  holds: z
    .record(z.string(), expectedNumber)
    .optional()
    .describe('Number of held records per cause, complete; * stands for any characters. {} means none at all'),
  waiting: z
    .record(z.string(), expectedNumber)
    .optional()
    .describe('Number of waiting records per cause, complete; * stands for any characters. {} means none at all'),
  deadLetters: expectedNumber.optional(),
  calls: z
    .record(z.string(), z.record(z.string(), expectedNumber))
    .optional()
    .describe('Calls per system and operation since the last reset; * stands for any characters'),
  writes: z.record(z.string(), expectedNumber).optional().describe('Calls per system that are not reads, since the last reset'),
  mostInFlight: z
    .record(z.string(), expectedNumber)
    .optional()
    .describe('Most calls a system had in progress at once, since the last reset'),
  alerts: z
    .array(
      z.strictObject({
        sentence: z.string().describe('Contained in the sentence, or equal to the key of the alert'),
        count: expectedNumber.optional().describe('Default at least one'),
      }),
    )
    .optional(),
  alertCount: expectedNumber.optional().describe('All alerts so far'),
  webhooks: z
    .strictObject({ accepted: expectedNumber.optional(), repeated: expectedNumber.optional(), refused: expectedNumber.optional() })
    .optional()
    .describe('Webhooks taken the first time, known already, and refused, so far'),
  outcomes: z
    .record(z.string(), z.record(z.string(), expectedNumber))
    .optional()
    .describe('Attempts counted per flow and outcome, also those that leave no audit entry: { invoices: { unchanged: 1 } }'),
  connections: z
    .record(z.string(), z.enum(['open', 'paused']))
    .optional()
    .describe('Whether the connection to a system is paused'),
});

const fault = z.strictObject({
  system: z.string(),
  operation: z.string().optional().describe('`PUT /Invoice`, `GET /object-query/*`; absent: every call'),
  kind: z
    .enum(['delay', 'drop-before', 'drop-after', 'status', 'status-after', 'truncate'])
    .describe('drop: the connection ends without an answer; before or after the system did its work'),
  skip: z.number().int().min(0).optional().describe('Leave so many matching calls alone first'),
  times: z.number().int().min(1).optional().describe('How many calls it hits; default 1'),
  ms: z.number().int().min(0).optional(),
  status: z.number().int().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.string().optional(),
});

const operator = z.strictObject({
  replay: z
    .strictObject({
      record: z.string().optional(),
      cause: z.string().optional(),
      flow: z.string().optional(),
      held: z.literal(true).optional(),
    })
    .optional(),
  redrive: z.string().describe('all, or the id of a dead letter').optional(),
  purge: z.literal('all').optional(),
  map: z
    .strictObject({
      table: z.string(),
      row: z.union([record, z.string(), z.null()]).describe('null removes the row named by `key`'),
      key: z.string().optional(),
    })
    .optional(),
  mode: z.strictObject({ flow: z.string(), mode: z.enum(['live', 'preview', 'paused', 'off']) }).optional(),
  link: z.strictObject({ flow: z.string(), a: z.string(), b: z.string() }).optional(),
  unlink: z.strictObject({ flow: z.string(), record: z.string() }).optional(),
  decide: z.strictObject({ record: z.string(), decision: z.string(), flow: z.string().optional() }).optional(),
  check: z
    .strictObject({
      level: z.enum(['green', 'amber', 'red']).optional(),
      results: z.array(record).optional().describe('Each is contained in one of the results: { id, level, sentence }'),
    })
    .optional()
    .describe('Asks whether everything is ready'),
  consent: z.string().optional().describe('A system in which an administrator consents anew; the credentials are stored'),
  keep: z.literal('now').optional().describe('The housekeeping runs now'),
});

const stepMembers = {
  act: z
    .record(z.string(), z.union([record, z.array(record)]))
    .optional()
    .describe('What a person or the vendor does, per system'),
  seed: z.record(z.string(), record).optional().describe('Records that are suddenly there, per system; no webhook tells of them'),
  poll: z
    .union([z.literal('all'), z.array(z.string())])
    .optional()
    .describe('Polls these flows now, due or not, and works until nothing is left to do at once'),
  backfill: z
    .union([z.literal('all'), z.array(z.string())])
    .optional()
    .describe('Takes everything since the cut-over, on the bulk queue, and works'),
  work: z.literal('done').optional().describe('Workers run until no message is visible'),
  pass: duration.optional().describe('Time passes: polls, workers, retries, sweeps and webhooks run as they fall due'),
  jump: duration
    .optional()
    .describe('Time passes while nothing of the connector runs, at no cost: what fell due meanwhile is due afterwards, all at once'),
  until: expectationSchema.optional().describe('Time passes until this holds; fails when it does not within the time'),
  within: duration.optional().describe('The longest `until` may take'),
  webhooks: z
    .union([
      z.enum(['deliver', 'lose', 'keep', 'reverse']),
      z.strictObject({
        repeat: z.number().int().min(1).describe('So often is every webhook so far delivered again, byte for byte'),
        newRequestId: z.boolean().optional().describe('Under a new id of the transmission'),
      }),
    ])
    .optional()
    .describe(
      'deliver: what is due goes out now, what comes later by itself. keep: they stay with the vendor until `deliver`. lose: they are lost on the way until `deliver`. reverse: what is due goes out newest first.',
    ),
  request: z
    .strictObject({
      path: z.string().describe('`/webhooks/acumatica-zuora/zuora`'),
      method: z.string().optional().describe('default POST'),
      headers: z.record(z.string(), z.string()).optional(),
      body: z.string().optional(),
      bytes: z.number().int().min(0).optional().describe('A body of so many characters instead'),
      expectStatus: z.number().int().optional(),
    })
    .optional()
    .describe('A raw request to a webhook address: forged, unsigned, broken'),
  fault: fault.optional().describe('The next matching calls of a system go wrong'),
  faults: z.literal('clear').optional(),
  crash: z
    .strictObject({
      before: z.string().optional().describe('`acumatica PUT /Invoice`, `links.commit`, `queue.send`; * for any characters'),
      after: z.string().optional(),
      skip: z.number().int().min(0).optional(),
    })
    .refine(({ before, after }) => (before === undefined) !== (after === undefined), 'name either before or after')
    .optional()
    .describe('The next process to reach this effect dies there'),
  operator: operator
    .refine((act) => Object.keys(act).length === 1, 'exactly one act of the operator')
    .optional()
    .describe('What an operator does; the same operations as the CLI'),
  configure: z
    .strictObject({
      settings: record.optional(),
      flows: record.optional(),
      connections: z.record(z.string(), record).optional(),
      mode: z.enum(['live', 'preview', 'paused', 'off']).optional(),
    })
    .optional()
    .describe('A deployment with changed settings, laid over the present ones; null removes one'),
  resetCalls: z.literal(true).optional().describe('Calls and writes are counted from here'),
  expect: expectationSchema.optional().describe('This holds now'),
} as const;

/** Members that go with another one and are no step by themselves. */
const companions = new Set(['within', 'refused', 'note']);

export const stepSchema = z
  .strictObject({
    ...stepMembers,
    refused: z.string().optional().describe('The act is refused, with these words in the reason'),
    note: z.string().optional().describe('For the reader'),
  })
  .refine((step) => Object.keys(step).filter((member) => !companions.has(member)).length === 1, {
    error: `exactly one thing per step: ${Object.keys(stepMembers)
      .filter((member) => !companions.has(member))
      .join(', ')}`,
  })
  .refine((step) => (step.until === undefined) === (step.within === undefined), '`until` needs `within`, and the other way round');

export const scenarioSchema = z.strictObject({
  $schema: z.string().optional(),
  scenario: z.string().min(3).describe('One sentence: what this shows'),
  about: z.string().optional().describe('More, for the reader'),
  integration: z.string().describe('The integration it is about'),
  start: z.iso.datetime().describe('Virtual time at the beginning (UTC)'),
  seed: z.number().int().default(1).describe('Of everything random'),
  workers: z.number().int().min(1).max(8).default(1).describe('Worker functions at the same time'),
  config: z
    .strictObject({
      from: z
        .string()
        .optional()
        .describe('A connector.yaml beside this file: its settings, flows and mode of the integration stand in for those of the company'),
      settings: record.optional().describe('Laid over the settings of the company; null removes one'),
      flows: record.optional().describe('Mode and cadence per flow'),
      connections: z.record(z.string(), record).optional().describe('Laid over the settings of a connection, by system'),
      mode: z.enum(['live', 'preview', 'paused', 'off']).optional(),
    })
    .default({}),
  given: z
    .strictObject({
      company: z.string().optional().describe('A named company to begin with; default the first of the integration'),
      options: z.record(z.string(), record).optional().describe('Options of a simulator, per system'),
      systems: z.record(z.string(), record).optional().describe('Records that are there before the story begins, per system and noun'),
    })
    .default({}),
  when: z.array(stepSchema).default([]),
  // biome-ignore lint/suspicious/noThenProperty: given, when, then are the words of a scenario.
  then: expectationSchema
    .default({})
    .describe('Holds at the end. What is held or waiting must be listed; without the lists there must be none'),
  quiet: z.boolean().default(true).describe('After the end a full second poll and a repeat of every webhook write nothing into any system'),
});

export type Scenario = z.infer<typeof scenarioSchema>;
export type Step = z.infer<typeof stepSchema>;
export type Expectation = z.infer<typeof expectationSchema>;
export type OperatorAct = z.infer<typeof operator>;
export type ConfigurationChange = Omit<z.infer<typeof scenarioSchema>['config'], 'from'>;
