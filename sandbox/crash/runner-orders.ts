import * as z from 'zod';

/** What the drill tells a runner when it starts it. */
export const settingsSchema = z.strictObject({
  assembly: z.string(),
  state: z.string(),
  timeFile: z.string(),
  /** The same ones after every start: a function that outlived its runner finds the tables and queues again. */
  ports: z.record(z.enum(['api', 'dynamodb', 'sqs', 'secretsManager', 'sns']), z.number()),
  /** Put on the first start. */
  secrets: z.record(z.string(), z.record(z.string(), z.string())).exactOptional(),
});
export type RunnerSettings = z.infer<typeof settingsSchema>;

/** What it asks of a running one. */
export const orderSchema = z.union([
  z.strictObject({ id: z.number(), kill: z.string() }),
  z.strictObject({ id: z.number(), depth: z.array(z.string()) }),
]);
export type Order = z.infer<typeof orderSchema>;

/** What a runner says. */
export const saidSchema = z.union([
  z.strictObject({
    ready: z.strictObject({
      apiUrl: z.string(),
      region: z.string(),
      operator: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }),
      functions: z.array(z.string()),
    }),
  }),
  z.strictObject({ answer: z.strictObject({ id: z.number(), value: z.unknown() }) }),
]);
export type Ready = Extract<z.infer<typeof saidSchema>, { ready: unknown }>['ready'];
