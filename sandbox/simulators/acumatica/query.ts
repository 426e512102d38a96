import { type Entity, entityOf } from './contract.ts';
import { type Filter, parseFilter } from './filter.ts';
import { badRequest, httpError } from './refusals.ts';

/** A tree of names: `Details/Account,Details/Amount` is `{Details: {Account: {}, Amount: {}}}`. */
export interface Names {
  readonly [name: string]: Names;
}

export interface Query {
  readonly filter?: Filter;
  readonly select?: Names;
  readonly expand: Names;
  /** `View.Field` */
  readonly custom: readonly string[];
  readonly top?: number;
  readonly skip: number;
}

export function parseQuery(params: URLSearchParams, entity: Entity, version: number): Query {
  const filter = params.get('$filter');
  const select = params.get('$select');
  const top = params.get('$top');
  return {
    ...(filter !== null && filter.trim() !== '' ? { filter: parseFilter(filter, entity, version) } : {}),
    ...(select !== null && select.trim() !== '' ? { select: treeOf(select) } : {}),
    expand: expandOf(params.get('$expand') ?? '', entity, version),
    custom: listOf(params.get('$custom') ?? ''),
    ...(top === null ? {} : { top: wholeNumber(top, '$top') }),
    skip: wholeNumber(params.get('$skip') ?? '0', '$skip'),
  };
}

/** List reads are optimized; a field behind a view delegate cannot be, and the whole request fails. */
export function refuseUnoptimizable(entity: Entity, query: Query): void {
  if (entity.name !== 'Payment' || !query.expand['ApplicationHistory']) return;
  throw httpError(
    500,
    'PX.Api.ContractBased.OptimizedExport.CannotOptimizeException',
    'Optimization cannot be performed.The following fields cause the error:\r\nApplicationHistory: View ARPost has BQL delegate',
  );
}

function treeOf(written: string): Names {
  const tree: Record<string, Names> = {};
  for (const path of listOf(written)) {
    let place: Record<string, Names> = tree;
    for (const segment of path.split('/')) {
      const next = place[segment] ?? {};
      place[segment] = next;
      place = next;
    }
  }
  return tree;
}

/** `MainContact,MainContact/Address`: each level must be listed itself. */
function expandOf(written: string, entity: Entity, version: number): Names {
  const listed = new Set(listOf(written));
  const tree: Record<string, Names> = {};
  for (const path of [...listed].sort()) {
    if (path === 'files') continue;
    const segments = path.split('/');
    let place: Record<string, Names> = tree;
    let of = entity;
    for (const [index, segment] of segments.entries()) {
      const nested = of.nested.get(segment);
      if (!nested || nested.since > version)
        throw httpError(
          500,
          'System.Collections.Generic.KeyNotFoundException',
          `Can't find ${path} to expand in the ${entity.name} entity.`,
        );
      if (!listed.has(segments.slice(0, index + 1).join('/'))) break;
      const next = place[segment] ?? {};
      place[segment] = next;
      place = next;
      of = entityOf(nested.of);
    }
  }
  return tree;
}

function listOf(written: string): string[] {
  return written
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function wholeNumber(written: string, name: string): number {
  if (!/^\d+$/.test(written.trim())) throw badRequest(`Invalid value '${written}' for ${name}.`, name);
  return Number(written);
}
