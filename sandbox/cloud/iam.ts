import { createHash } from 'node:crypto';
import type { Access, Authorize, Denial, Place } from './access.ts';
import { isRecord } from './aws-json.ts';
import { conditionHolds, like, unsupportedOperator } from './iam-conditions.ts';

/** A policy as a template carries it, references already resolved. */
export interface PolicyDocument {
  readonly Statement: readonly PolicyStatement[];
}

export interface PolicyStatement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Principal?: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Somebody who may sign requests: a function with its role, the operator, the runner itself. */
interface Caller {
  /** Name in the record of accesses. */
  readonly name: string;
  readonly roleArn: string;
  readonly policies: readonly PolicyDocument[];
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** One kind of access that was made; the list of them is what a role really needs. */
export interface MadeAccess {
  readonly caller: string;
  readonly action: string;
  readonly resource: string;
  readonly allowed: boolean;
  readonly times: number;
}

export interface LocalIam {
  /** Registers a caller and answers its keys, which stay the same over restarts. Throws when a policy says something that is not evaluated here. */
  admit(caller: Caller): Credentials;
  /** A policy attached to a resource: a key's, a queue's, a topic's. */
  attach(resourceArn: string, policy: PolicyDocument): void;
  /** Whether this principal's own policies allow it; for roles that act without keys, as a schedule's does. */
  check(caller: Caller, access: Omit<Access, 'accessKeyId'>): Denial | undefined;
  authorize: Authorize;
  /** Every (caller, action, resource) so far. */
  made(): readonly MadeAccess[];
}

/** Evaluates identity and resource policies as far as CDK writes them: Allow and Deny, wildcards, the usual conditions. No boundaries, no sessions. */
export function createIam(place: Place): LocalIam {
  const callers = new Map<string, Caller>();
  const attached = new Map<string, PolicyDocument[]>();
  const made = new Map<string, MadeAccess>();

  function decide(caller: Caller, access: Omit<Access, 'accessKeyId'>): Denial | undefined {
    const principal = caller.roleArn;
    const context = {
      'aws:PrincipalArn': principal,
      'aws:PrincipalAccount': place.accountId,
      'aws:RequestedRegion': place.region,
      // Loopback has no TLS; a policy that demands it is about the network in between, which does not exist here.
      'aws:SecureTransport': 'true',
      ...access.context,
    };
    const own = caller.policies.flatMap((policy) => policy.Statement);
    const theirs = (attached.get(access.resource) ?? [])
      .flatMap((policy) => policy.Statement)
      .filter((statement) => namesPrincipal(statement.Principal, principal, statement.Effect));
    const applies = (statement: PolicyStatement): boolean =>
      matchesAction(statement, access.action) &&
      (statement.Principal !== undefined || matchesResource(statement, access.resource)) &&
      conditionHolds(statement.Condition, context);
    if ([...own, ...theirs].some((statement) => statement.Effect === 'Deny' && applies(statement))) {
      return { principal, because: `of an explicit deny of the ${access.action} action` };
    }
    if ([...own, ...theirs].some((statement) => statement.Effect === 'Allow' && applies(statement))) return undefined;
    return { principal, because: `no identity-based policy allows the ${access.action} action` };
  }

  return {
    admit(caller) {
      for (const statement of caller.policies.flatMap((policy) => policy.Statement)) checkSupported(statement, caller.name);
      const digest = createHash('sha256').update(caller.name).digest('hex').toUpperCase();
      const accessKeyId = `AKIALOCAL${digest.slice(0, 11)}`;
      callers.set(accessKeyId, caller);
      return { accessKeyId, secretAccessKey: `local-${digest.slice(11, 45)}` };
    },
    attach(resourceArn, policy) {
      for (const statement of policy.Statement) checkSupported(statement, resourceArn);
      attached.set(resourceArn, [...(attached.get(resourceArn) ?? []), policy]);
    },
    check: decide,
    authorize(access) {
      const caller = callers.get(access.accessKeyId);
      const denial = caller
        ? decide(caller, access)
        : { principal: `key ${access.accessKeyId}`, because: 'nobody here has this access key' };
      const name = caller?.name ?? access.accessKeyId;
      const key = JSON.stringify([name, access.action, access.resource, denial === undefined]);
      const times = (made.get(key)?.times ?? 0) + 1;
      made.set(key, { caller: name, action: access.action, resource: access.resource, allowed: denial === undefined, times });
      return denial;
    },
    made: () => [...made.values()],
  };
}

/** Allows everything: the runner that creates the tables. */
export const administrator: PolicyDocument = { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };

function checkSupported(statement: PolicyStatement, where: string): void {
  const operator = unsupportedOperator(statement.Condition);
  if (operator !== undefined) throw new Error(`${where}: the policy condition ${operator} is not evaluated here`);
}

const list = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

function matchesAction(statement: PolicyStatement, action: string): boolean {
  const named = (patterns: readonly string[]): boolean => patterns.some((pattern) => like(pattern.toLowerCase(), action.toLowerCase()));
  return statement.NotAction === undefined ? named(list(statement.Action)) : !named(list(statement.NotAction));
}

function matchesResource(statement: PolicyStatement, resource: string): boolean {
  const named = (patterns: readonly string[]): boolean => patterns.some((pattern) => like(pattern, resource));
  return statement.NotResource === undefined ? named(list(statement.Resource)) : !named(list(statement.NotResource));
}

/**
 * Whether a resource policy's statement is about this role. The account's root stands for "whoever the account's own policies allow", which
 * is what identity policies say already: it grants nothing here, but a Deny for it counts.
 */
function namesPrincipal(principal: unknown, roleArn: string, effect: string): boolean {
  if (principal === '*') return true;
  if (!isRecord(principal)) return false;
  const named = principal['AWS'];
  const arns: readonly unknown[] = Array.isArray(named) ? named : [named];
  return arns.some((arn) => arn === '*' || arn === roleArn || (effect === 'Deny' && String(arn).endsWith(':root')));
}
