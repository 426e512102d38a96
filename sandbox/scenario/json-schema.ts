import * as z from 'zod';
import { scenarioSchema } from './schema.ts';

/** JSON Schema of a scenario for editors, as text. */
export function scenarioJsonSchema(): string {
  const schema = z.toJSONSchema(scenarioSchema, { io: 'input', unrepresentable: 'any' });
  return `${JSON.stringify({ ...schema, title: 'Scenario of ml-connector' }, null, 2)}\n`;
}
