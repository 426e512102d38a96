import * as z from 'zod';
import type { HttpAnswer, Io } from '../../contracts/io.ts';
import { Failure } from '../../failures.ts';
import { parseJson } from '../../values/json.ts';
import type { Exchange, Sent } from './exchange.ts';
import type { AcumaticaSettings } from './settings.ts';
import type { Served } from './surface.ts';

/** A new build may drop a version: asked anew every day. */
const keptMs = 86_400_000;
const note = 'discovery';

const rows = z.array(z.object({ name: z.string(), version: z.string() }));
const wire = z.union([
  rows.transform((endpoints) => ({ endpoints })),
  z
    .object({ version: z.object({ acumaticaBuildVersion: z.string().optional() }).optional(), endpoints: rows })
    .transform(({ version, endpoints }) => ({ build: version?.acumaticaBuildVersion, endpoints })),
]);
const kept = z.object({ build: z.string().optional(), endpoints: rows });

export interface Discovery {
  /** For callers who are in the lane. Asked with the token, so that the tenant's own endpoints are listed as well. */
  inLane(): Promise<Served>;
  /** Without a token, for callers who are in the lane: the address alone. Lists the system endpoints. */
  anonymously(): Promise<Served>;
  forget(): Promise<void>;
  /** WrongAddress with the list, when the configured endpoint is not in it. */
  notServed(served: Served): Failure | undefined;
  nobodyThere(): Failure;
}

/**
 * Which endpoints and versions the site serves. Older builds answer the bare list.
 * Source: Integration Development Guide, "Retrieve the Acumatica ERP Version and the List of Endpoints" (2026 R1, read 2026-11-20).
 */
export function createDiscovery(settings: AcumaticaSettings, io: Io, exchange: (request: Exchange) => Promise<Sent>): Discovery {
  const request: Exchange = {
    operation: 'GET /entity',
    method: 'GET',
    path: `${settings.url}/entity`,
    what: 'ask for the list of endpoints',
    effect: 'read',
    entity: 'CompaniesStructure',
  };

  const nobodyThere = (): Failure =>
    new Failure('WrongAddress', {
      cause: 'acumatica:address',
      sentence: `No Acumatica at ${settings.url}: give the full tenant URL with instance, e.g. https://erp.example.com/kestrel.`,
      fix: 'Correct `url` of the connection.',
    });

  function parse(answer: HttpAnswer): Served {
    try {
      const parsed = wire.safeParse(parseJson(answer.text));
      if (parsed.success) {
        const { endpoints } = parsed.data;
        const build = 'build' in parsed.data ? parsed.data.build : undefined;
        return { ...(build === undefined ? {} : { build }), endpoints: endpoints.map(({ name, version }) => ({ name, version })) };
      }
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    throw nobodyThere();
  }

  return {
    nobodyThere,

    async inLane() {
      const known = kept.safeParse(await io.notes.get(note));
      if (known.success) return { ...(known.data.build === undefined ? {} : { build: known.data.build }), endpoints: known.data.endpoints };
      const served = parse((await exchange(request)).answer);
      await io.notes.put(note, served, { forMs: keptMs });
      return served;
    },

    async anonymously() {
      const answer = await io.http.send({
        operation: request.operation,
        method: 'GET',
        url: request.path,
        headers: { accept: 'application/json' },
        timeoutMs: 60_000,
        effect: 'read',
      });
      if (answer.status >= 500)
        throw new Failure('VendorUnavailable', {
          code: String(answer.status),
          sentence: `Acumatica at ${settings.url} is not available (${answer.status}).`,
        });
      if (answer.status !== 200) throw nobodyThere();
      return parse(answer);
    },

    forget: () => io.notes.remove(note),

    notServed(served) {
      const { endpoint, version } = settings;
      if (served.endpoints.some((row) => same(row.name, endpoint) && row.version === version)) return undefined;
      const list = served.endpoints.map((row) => `${row.name}/${row.version}`).join(', ') || 'none';
      return new Failure('WrongAddress', {
        cause: 'acumatica:endpoint',
        sentence: `Endpoint ${endpoint}/${version} is not served; served: ${list}.`,
        fix: 'Set `version` to a served one from 20.200.001 to 25.200.001 (24.200.001 recommended).',
      });
    },
  };
}

const same = (left: string, right: string): boolean => left.toLowerCase() === right.toLowerCase();
