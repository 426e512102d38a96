import { ControlError } from '../kit.ts';
import { type Entity, entityOf } from './contract.ts';
import { Refusal } from './refusals.ts';
import { type Input, isObject, readRecord } from './wire-read.ts';

const newest = 99;

/**
 * The input a person types into a form, from plain JSON under contract names: `{Customer: 'C0001042', Details: [{Account: '40000'}],
 * custom: {'Document.CuryID': 'EUR'}}`. Unknown names are refused here, unlike on the wire.
 */
export function plainInput(entityName: string, plain: Readonly<Record<string, unknown>>): Input {
  try {
    return readRecord(entityOf(entityName), wrapped(entityOf(entityName), plain), newest);
  } catch (error) {
    if (error instanceof Refusal) throw new ControlError(`cannot be typed into the ${entityName} form: ${JSON.stringify(error.body)}`);
    throw error;
  }
}

function wrapped(entity: Entity, plain: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(plain)) {
    if (value === undefined) continue;
    const nested = entity.nested.get(name);
    if (name === 'id' || name === 'delete') body[name] = value;
    else if (name === 'custom' && isObject(value)) body['custom'] = customViews(value);
    else if (nested?.many && Array.isArray(value)) body[name] = value.map((row) => wrapped(entityOf(nested.of), isObject(row) ? row : {}));
    else if (nested && isObject(value)) body[name] = wrapped(entityOf(nested.of), value);
    else if (entity.scalars.has(name)) body[name] = { value };
    else
      throw new ControlError(
        `${entity.name} has no field ${name}; its fields are ${[...entity.scalars.keys(), ...entity.nested.keys()].join(', ')}`,
      );
  }
  return body;
}

function customViews(custom: Readonly<Record<string, unknown>>): Record<string, Record<string, unknown>> {
  const views: Record<string, Record<string, unknown>> = {};
  for (const [path, value] of Object.entries(custom)) {
    const [view = '', field = ''] = path.split('.');
    views[view] = { ...views[view], [field]: { value } };
  }
  return views;
}
