import * as z from 'zod';
import type { Tenant } from './tenant.ts';

const keptMs = 24 * 3_600_000;

const stored = z.object({
  method: z.string(),
  path: z.string(),
  atMs: z.number(),
  /** Absent while the first call is still worked on. */
  answer: z.object({ status: z.number(), contentType: z.string(), body: z.string() }).optional(),
});

const snapshotSchema = z.array(z.tuple([z.string(), stored]));

/** Answers of POST and PATCH by `Idempotency-Key`, kept a day, successes and failures alike. */
export class IdempotencyStore {
  readonly #tenant: Tenant;
  #calls = new Map<string, z.infer<typeof stored>>();

  constructor(tenant: Tenant) {
    this.#tenant = tenant;
  }

  async run(key: string, request: { readonly method: string; readonly path: string }, work: () => Promise<Response>): Promise<Response> {
    const nowMs = this.#tenant.world.clock.now().getTime();
    const known = this.#calls.get(key);
    if (known && nowMs - known.atMs < keptMs) return this.#repeat(known, request);
    const call: z.infer<typeof stored> = { ...request, atMs: nowMs };
    this.#calls.set(key, call);
    try {
      const response = await work();
      const body = await response.text();
      const contentType = response.headers.get('content-type') ?? 'application/json';
      call.answer = { status: response.status, contentType, body };
      return new Response(body, { status: response.status, headers: { 'content-type': contentType } });
    } finally {
      if (call.answer === undefined) this.#calls.delete(key);
    }
  }

  #repeat(known: z.infer<typeof stored>, request: { readonly method: string; readonly path: string }): Response {
    const reason = (status: number, code: number, message: string): Response =>
      Response.json({ success: false, reasons: [{ code, message }], requestId: this.#tenant.randomHex(32) }, { status });
    if (known.method !== request.method || known.path !== request.path)
      return reason(422, 50000030, 'The Idempotency-Key was used with another method or URL');
    if (!known.answer) return reason(409, 50000030, 'A request with the same Idempotency-Key is still in progress');
    const status = this.#tenant.features.idempotentRepeat === 'conflict' ? 409 : known.answer.status;
    return new Response(known.answer.body, { status, headers: { 'content-type': known.answer.contentType } });
  }

  snapshot(): unknown {
    return [...this.#calls].filter(([, call]) => call.answer !== undefined);
  }

  restore(snapshot: unknown): void {
    this.#calls = new Map(snapshotSchema.parse(snapshot));
  }
}
