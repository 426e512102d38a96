import * as z from 'zod';
import { Failure } from '../failures.ts';

/** The infrastructure creates its tables from this: the one file of `lib/aws` it may import is this one. */
export { type IndexDefinition, type TableDefinition, tables } from './tables.ts';

const queueUrlsSchema = z.object({ live: z.url(), bulk: z.url(), dead: z.url() });

/**
 * Everything a function is told by the deployment. The infrastructure builds this record and `environmentRecord` writes it, so a missing variable
 * is a compile error there; here it is a failure that names the variable.
 */
export interface Environment {
  /** Name of the stack: dimension of metrics, beginning of names. */
  readonly stack: string;
  readonly linksTable: string;
  readonly auditTable: string;
  readonly stateTable: string;
  /** ARN of the SNS topic a person listens to. */
  readonly alertTopic: string;
  /** The configuration file, relative to the function's code. */
  readonly configurationPath: string;
  /** Audit entries are swept after so many years. */
  readonly auditYears: number;
  /** URLs of the queues of each integration this function serves. */
  readonly queues: Readonly<Record<string, { readonly live: string; readonly bulk: string; readonly dead: string }>>;
}

export const environmentSchema = z.object({
  STACK_NAME: z.string().min(1),
  LINKS_TABLE: z.string().min(1),
  AUDIT_TABLE: z.string().min(1),
  STATE_TABLE: z.string().min(1),
  ALERT_TOPIC_ARN: z.string().min(1),
  CONFIGURATION_PATH: z.string().min(1),
  AUDIT_YEARS: z.coerce.number().int().min(1).max(100),
  QUEUE_URLS: z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'is not JSON' });
        return z.NEVER;
      }
    })
    .pipe(z.record(z.string(), queueUrlsSchema)),
});
type Variables = Readonly<Record<keyof z.infer<typeof environmentSchema>, string>>;

/** As environment variables. Values may hold tokens of the synthesis: they are copied, never looked into. */
export function environmentRecord(environment: Environment): Variables {
  return {
    STACK_NAME: environment.stack,
    LINKS_TABLE: environment.linksTable,
    AUDIT_TABLE: environment.auditTable,
    STATE_TABLE: environment.stateTable,
    ALERT_TOPIC_ARN: environment.alertTopic,
    CONFIGURATION_PATH: environment.configurationPath,
    AUDIT_YEARS: String(environment.auditYears),
    QUEUE_URLS: JSON.stringify(environment.queues),
  };
}

/** Fails: ConfigurationInvalid, naming every variable that is missing or wrong; values are not shown. */
export function parseEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  const parsed = environmentSchema.safeParse(variables);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    throw new Failure('ConfigurationInvalid', {
      cause: 'environment',
      actor: 'us',
      sentence: `The function was deployed with environment variables that cannot be used (${problems}).`,
      fix: 'Deploy the stack again; variables are never edited by hand.',
    });
  }
  const { data } = parsed;
  return {
    stack: data.STACK_NAME,
    linksTable: data.LINKS_TABLE,
    auditTable: data.AUDIT_TABLE,
    stateTable: data.STATE_TABLE,
    alertTopic: data.ALERT_TOPIC_ARN,
    configurationPath: data.CONFIGURATION_PATH,
    auditYears: data.AUDIT_YEARS,
    queues: data.QUEUE_URLS,
  };
}
