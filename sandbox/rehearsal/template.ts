import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { localPlace, type Place } from '../cloud/access.ts';
import { isRecord } from '../cloud/aws-json.ts';

export interface TemplateResource {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** One synthesized stack. */
export interface Assembly {
  readonly folder: string;
  readonly stackName: string;
  /** Account and region the stack is meant for; local ones where it leaves them open. */
  readonly place: Place;
  readonly template: Template;
}

const Template = z.looseObject({
  Resources: z.record(
    z.string(),
    z.looseObject({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).optional(), Condition: z.string().optional() }),
  ),
  Parameters: z.record(z.string(), z.looseObject({ Type: z.string(), Default: z.unknown().optional() })).optional(),
  Conditions: z.record(z.string(), z.unknown()).optional(),
  Mappings: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))).optional(),
  Outputs: z.record(z.string(), z.looseObject({ Value: z.unknown(), Condition: z.string().optional() })).optional(),
});
type Template = z.infer<typeof Template>;

const Manifest = z.looseObject({
  artifacts: z
    .record(
      z.string(),
      z.looseObject({
        type: z.string(),
        environment: z.string().optional(),
        properties: z.looseObject({ templateFile: z.string().optional(), stackName: z.string().optional() }).optional(),
      }),
    )
    .optional(),
});

/** Reads the one stack of a cloud assembly (or the named one). */
export function readAssembly(folder: string, stack?: string): Assembly {
  const manifest = Manifest.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
  const stacks = Object.entries(manifest.artifacts ?? {}).filter(([, artifact]) => artifact.type === 'aws:cloudformation:stack');
  const chosen =
    stack === undefined ? stacks : stacks.filter(([name, artifact]) => name === stack || artifact.properties?.stackName === stack);
  const [first] = chosen;
  if (first === undefined || chosen.length > 1) {
    const names = stacks.map(([name]) => name).join(', ') || 'none';
    throw new Error(`${folder} has to hold exactly one stack${stack === undefined ? '' : ` called ${stack}`}; it has: ${names}`);
  }
  const [name, artifact] = first;
  const template = Template.parse(JSON.parse(readFileSync(join(folder, artifact.properties?.templateFile ?? ''), 'utf8')));
  return { folder, stackName: artifact.properties?.stackName ?? name, place: placeOf(artifact.environment), template };
}

/** `aws://123456789012/eu-central-1`, with `unknown-account` and `unknown-region` in a stack for any. */
function placeOf(environment: string | undefined): Place {
  const [, account, region] = /^aws:\/\/([^/]+)\/([^/]+)$/.exec(environment ?? '') ?? [];
  return {
    accountId: account === undefined || account === 'unknown-account' ? localPlace.accountId : account,
    region: region === undefined || region === 'unknown-region' ? localPlace.region : region,
  };
}

/** Folder of a function's code: `<hash>.zip` of the template is `asset.<hash>` of the assembly. */
export function assetFolder(assembly: Assembly, key: unknown): string {
  const hash = typeof key === 'string' ? /^([0-9a-f]{32,})\.zip$/.exec(key)?.[1] : undefined;
  const folder = join(assembly.folder, `asset.${hash}`);
  if (hash === undefined || !existsSync(folder)) throw new Error(`${String(key)} is no asset of ${assembly.folder}`);
  return folder;
}

/** What references resolve to. Both throw for what they do not know. */
export interface References {
  ref(logicalId: string): unknown;
  attribute(logicalId: string, name: string): unknown;
  readonly accountId: string;
  readonly region: string;
  /** Values of template parameters, over their defaults. */
  readonly parameters?: Readonly<Record<string, string>>;
}

const removed = Symbol('AWS::NoValue');

/** Resolves the intrinsic functions of one template. What is not known here throws with its name: nothing is passed through unresolved. */
export class TemplateResolver {
  readonly #assembly: Assembly;
  readonly #references: References;

  constructor(assembly: Assembly, references: References) {
    this.#assembly = assembly;
    this.#references = references;
  }

  /** Resources whose condition holds, properties not yet resolved. */
  resources(): readonly TemplateResource[] {
    return Object.entries(this.#assembly.template.Resources)
      .filter(([, resource]) => resource.Condition === undefined || this.condition(resource.Condition))
      .map(([logicalId, resource]) => ({ logicalId, type: resource.Type, properties: resource.Properties ?? {} }));
  }

  outputs(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Object.entries(this.#assembly.template.Outputs ?? {})
        .filter(([, output]) => output.Condition === undefined || this.condition(output.Condition))
        .map(([name, output]) => [name, String(this.resolve(output.Value))]),
    );
  }

  condition(name: string): boolean {
    const conditions = this.#assembly.template.Conditions ?? {};
    if (!(name in conditions)) throw new Error(`the template has no condition ${name}`);
    return this.#holds(conditions[name]);
  }

  /** A value with every reference replaced; members that become AWS::NoValue are left out. */
  resolve(value: unknown): unknown {
    const resolved = this.#resolve(value);
    return resolved === removed ? undefined : resolved;
  }

  #resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((part) => this.#resolve(part)).filter((part) => part !== removed);
    if (!isRecord(value)) return value;
    const [only, ...more] = Object.entries(value);
    if (only !== undefined && more.length === 0) {
      const [name, given] = only;
      if (name === 'Ref') return this.#ref(String(given));
      if (name.startsWith('Fn::')) return this.#call(name, given);
    }
    return Object.fromEntries(
      Object.entries(value)
        .map(([name, part]) => [name, this.#resolve(part)] as const)
        .filter(([, part]) => part !== removed),
    );
  }

  #ref(name: string): unknown {
    const { accountId, region } = this.#references;
    switch (name) {
      case 'AWS::AccountId':
        return accountId;
      case 'AWS::Region':
        return region;
      case 'AWS::Partition':
        return 'aws';
      case 'AWS::URLSuffix':
        return 'amazonaws.com';
      case 'AWS::StackName':
        return this.#assembly.stackName;
      case 'AWS::StackId':
        return `arn:aws:cloudformation:${region}:${accountId}:stack/${this.#assembly.stackName}/local`;
      case 'AWS::NoValue':
        return removed;
    }
    const parameter = this.#assembly.template.Parameters?.[name];
    if (parameter === undefined) return this.#references.ref(name);
    const value = this.#references.parameters?.[name] ?? parameter.Default;
    if (value === undefined) throw new Error(`the template's parameter ${name} has no default and was not given`);
    return value;
  }

  #call(name: string, given: unknown): unknown {
    const list = (): readonly unknown[] => {
      const resolved = this.#resolve(given);
      if (!Array.isArray(resolved)) throw new Error(`${name} needs a list`);
      return resolved;
    };
    switch (name) {
      case 'Fn::GetAtt': {
        const [logicalId, ...path] = Array.isArray(given) ? given.map(String) : String(given).split('.');
        return this.#references.attribute(logicalId ?? '', path.join('.'));
      }
      case 'Fn::Join': {
        const [separator, parts] = list();
        return (Array.isArray(parts) ? parts : []).map(String).join(String(separator));
      }
      case 'Fn::Select': {
        const [index, parts] = list();
        const chosen: unknown = Array.isArray(parts) ? parts[Number(index)] : undefined;
        if (chosen === undefined) throw new Error(`Fn::Select: there is no element ${String(index)}`);
        return chosen;
      }
      case 'Fn::Split': {
        const [separator, text] = list();
        return String(text).split(String(separator));
      }
      case 'Fn::Sub':
        return this.#substitute(given);
      case 'Fn::If': {
        const [condition, yes, no] = Array.isArray(given) ? given : [];
        return this.#resolve(this.condition(String(condition)) ? yes : no);
      }
      case 'Fn::FindInMap': {
        const [map, first, second] = list().map(String);
        const found = this.#assembly.template.Mappings?.[map ?? '']?.[first ?? '']?.[second ?? ''];
        if (found === undefined) throw new Error(`Fn::FindInMap: nothing at ${map}.${first}.${second}`);
        return found;
      }
      case 'Fn::Base64':
        return Buffer.from(String(this.#resolve(given))).toString('base64');
      case 'Fn::ToJsonString':
        return JSON.stringify(this.#resolve(given));
      default:
        throw new Error(`${name} is not resolved by the rehearsal`);
    }
  }

  #substitute(given: unknown): string {
    const [text, variables] = Array.isArray(given) ? given : [given, {}];
    return String(text).replaceAll(/\$\{([^}]+)\}/g, (whole: string, name: string) => {
      if (name.startsWith('!')) return `\${${name.slice(1)}}`;
      if (isRecord(variables) && name in variables) return String(this.#resolve(variables[name]));
      const value = name.includes('.') && !name.startsWith('AWS::') ? this.#call('Fn::GetAtt', name) : this.#ref(name);
      if (value === removed) throw new Error(`Fn::Sub: ${whole} has no value`);
      return String(value);
    });
  }

  #holds(value: unknown): boolean {
    if (!isRecord(value)) throw new Error(`not a condition: ${JSON.stringify(value)}`);
    const [name, given] = Object.entries(value)[0] ?? ['nothing', undefined];
    const parts: readonly unknown[] = Array.isArray(given) ? given : [];
    switch (name) {
      case 'Condition':
        return this.condition(String(given));
      case 'Fn::Equals':
        return String(this.#resolve(parts[0])) === String(this.#resolve(parts[1]));
      case 'Fn::And':
        return parts.every((part) => this.#holds(part));
      case 'Fn::Or':
        return parts.some((part) => this.#holds(part));
      case 'Fn::Not':
        return !this.#holds(parts[0]);
      default:
        throw new Error(`the condition ${name} is not resolved by the rehearsal`);
    }
  }
}
