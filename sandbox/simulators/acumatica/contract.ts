import * as z from 'zod';
import contractFile from './contract.json' with { type: 'json' };

/**
 * The endpoint contract as the vendor publishes it: entities, their fields, the form view a field belongs to, SQL lengths and the first
 * endpoint version that has the field. `contract.json` writes a field as `s50 CurrentCustomer since22`: kind, length, view, first version;
 * `[Detail` is an array of detail rows, `{Contact` a linked object.
 */
export type FieldKind = 'string' | 'decimal' | 'boolean' | 'date' | 'integer' | 'guid';

export interface ScalarField {
  readonly name: string;
  readonly kind: FieldKind;
  readonly maxLength: number | undefined;
  /** The form view behind it. Filters that join two views with `and` find nothing. */
  readonly view: string;
  readonly since: number;
}

/** `many`: detail rows; otherwise one linked object. */
interface NestedField {
  readonly name: string;
  readonly of: string;
  readonly many: boolean;
  readonly since: number;
}

export interface Entity {
  readonly name: string;
  /** The form (screen) of a top-level entity; empty for details and linked objects. */
  readonly form: string;
  readonly scalars: ReadonlyMap<string, ScalarField>;
  readonly nested: ReadonlyMap<string, NestedField>;
  /** Actions of the contract and their internal names, which may be called as well. */
  readonly actions: Readonly<Record<string, string>>;
}

const kinds: Readonly<Record<string, FieldKind>> = { s: 'string', d: 'decimal', b: 'boolean', t: 'date', i: 'integer', g: 'guid' };

const ContractFile = z.object({
  entities: z.record(
    z.string(),
    z.object({
      screen: z.string().optional(),
      fields: z.record(z.string(), z.string()),
      actions: z.record(z.string(), z.string()).optional(),
    }),
  ),
  forms: z.record(z.string(), z.string()),
});

const file = ContractFile.parse(contractFile);

function readEntity(name: string): Entity {
  const written = file.entities[name];
  const scalars = new Map<string, ScalarField>();
  const nested = new Map<string, NestedField>();
  for (const [field, text] of Object.entries(written?.fields ?? {})) {
    const [shape = '', ...rest] = text.split(' ');
    const since = Number(rest.find((part) => part.startsWith('since'))?.slice(5) ?? '20');
    const view = rest.find((part) => !part.startsWith('since')) ?? '';
    if (shape.startsWith('[') || shape.startsWith('{')) {
      nested.set(field, { name: field, of: shape.slice(1), many: shape.startsWith('['), since });
    } else {
      const length = shape.slice(1);
      scalars.set(field, {
        name: field,
        kind: kinds[shape.slice(0, 1)] ?? 'string',
        maxLength: length === '' ? undefined : Number(length),
        view,
        since,
      });
    }
  }
  return { name, form: written?.screen ?? '', scalars, nested, actions: written?.actions ?? {} };
}

const entities = new Map<string, Entity>(Object.keys(file.entities).map((name) => [name, readEntity(name)]));
const topLevelByLowerName = new Map(
  [...entities.values()]
    .filter((entity) => entity.form !== '' && file.forms[entity.name] === undefined)
    .map((entity) => [entity.name.toLowerCase(), entity]),
);
const foreignForms = new Map(Object.entries(file.forms).map(([name, form]) => [name.toLowerCase(), form]));

/** An entity, detail or linked type of the contract that this simulator holds. */
export function entityOf(name: string): Entity {
  const entity = entities.get(name);
  if (!entity) throw new RangeError(`not in the contract: ${name}`);
  return entity;
}

/** A top-level entity as a path names it; entity names are case-insensitive on the wire. */
export function findTopLevel(name: string): Entity | undefined {
  return topLevelByLowerName.get(name.toLowerCase());
}

/** The form of an entity that the endpoint has but the API user of this company has no right to. */
export function formOfForeignEntity(name: string): string | undefined {
  return foreignForms.get(name.toLowerCase());
}

/** `24.200.001` → 24. */
export function majorOf(version: string): number {
  return Number(version.split('.')[0]);
}
