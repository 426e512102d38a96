import { createHmac } from 'node:crypto';
import { acumaticaZuora } from '../../lib/integrations/acumatica-zuora/integration.ts';
import type { Credentials, RawRequest, SetUp } from './hostile-requests.ts';

/** What is right to do with a request, worked out without a line of the receiver. */
export interface Judgement {
  readonly status: 200 | 401 | 404 | 413;
  /** `flow key` of every change that may be put on the queue. */
  readonly changes: readonly string[];
}

/** A request as the gateway hands it over: names in lower case, repeated ones joined with commas, bytes as they came. */
export interface Delivered {
  readonly method: string;
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

const mostBytes = 65_536;
const refuses: Judgement = { status: 401, changes: [] };
const shrugs: Judgement = { status: 200, changes: [] };

/** What a callout of each event names in `objectId`. */
const named: Readonly<Record<string, 'record' | 'other'>> = {
  InvoicePosted: 'record',
  PaymentProcessed: 'record',
  PaymentRefundProcessed: 'record',
  CreditMemoRefundProcessed: 'record',
  CreditMemoPosted: 'record',
  DebitMemoPosted: 'record',
  MlcAccountChanged: 'record',
  MlcContactChanged: 'record',
  BillRunCompletion: 'other',
  PaymentRunCompletion: 'other',
  JournalRunCompletion: 'other',
};

export class HonestReader {
  readonly #setUp: SetUp;
  /** Notices of before: a second one of the same id does nothing, whatever it says. */
  #seen = new Set<string>();

  constructor(setUp: SetUp) {
    this.#setUp = setUp;
  }

  forget(): void {
    this.#seen = new Set();
  }

  judge(request: Delivered): Judgement {
    if (!isOurs(request.path)) return { status: 404, changes: [] };
    if (request.body.length > mostBytes) return { status: 413, changes: [] };
    const { current, previous } = this.#setUp;
    const isProven = this.#proves(request, current) || (previous !== undefined && this.#proves(request, previous));
    if (request.method !== 'POST' || !isProven) return refuses;
    const changes = changesOf(request.body, this.#setUp.mode === 'unsigned');
    if (changes.length === 0) return shrugs;
    const id = request.headers.get('zuora-notification-id')?.trim() ?? '';
    const notice = /^[!-~]{1,120}$/.test(id) ? `id ${id}` : `body ${request.body.toString('latin1')}`;
    if (this.#seen.has(notice)) return shrugs;
    this.#seen.add(notice);
    return { status: 200, changes };
  }

  #proves(request: Delivered, credentials: Credentials): boolean {
    const { mode, header, valuePrefix, algorithm } = this.#setUp;
    if (mode === 'unsigned')
      return (
        request.query.get('token') === credentials.pathToken || request.path.split('/').includes(encodeURIComponent(credentials.pathToken))
      );
    if (mode === 'basic') {
      const pair = /^basic\s+([A-Za-z0-9+/=]+)$/i.exec(request.headers.get('authorization')?.trim() ?? '')?.[1];
      return pair !== undefined && Buffer.from(pair, 'base64').toString() === `${credentials.basicUser}:${credentials.basicPassword}`;
    }
    const sent = request.headers.get(header.toLowerCase())?.trim() ?? '';
    if (!sent.startsWith(valuePrefix)) return false;
    const signature = sent.slice(valuePrefix.length).trim();
    const digest = createHmac(algorithm, credentials.hmacSecret).update(request.body);
    const hex = digest.digest('hex');
    return signature.toLowerCase() === hex || withoutPadding(signature) === withoutPadding(Buffer.from(hex, 'hex').toString('base64'));
  }
}

/** The gateway routes one path; what an operator puts around it (a stage, a token behind it) does not matter. */
function isOurs(path: string): boolean {
  const segments = path.split('/');
  const at = segments.indexOf('webhooks');
  return at >= 0 && segments[at + 1] === 'acumatica-zuora' && segments[at + 2] === 'zuora';
}

const withoutPadding = (base64: string): string => base64.replace(/=+$/, '');

function changesOf(body: Buffer, isUnsigned: boolean): readonly string[] {
  const content = contentOf(body);
  if (content === undefined) return [];
  const event = own(content, 'event');
  const objectId = own(content, 'objectId');
  const kind = typeof event === 'string' && Object.hasOwn(named, event) ? named[event] : undefined;
  if (kind === undefined || (objectId !== undefined && (typeof objectId !== 'string' || objectId.length > 100))) return [];
  const isRecordId = typeof objectId === 'string' && /^[0-9a-fA-F]{32}$/.test(objectId) && !objectId.endsWith('\n');
  if (isUnsigned && !isRecordId) return [];
  const key = kind === 'record' && isRecordId ? String(objectId) : '*';
  return acumaticaZuora.flows.flatMap((flow) => {
    if (flow.wakes.webhooks.includes(String(event))) return [`acumatica-zuora.${flow.id} ${key}`];
    return flow.wakes.pollNow?.includes(String(event)) ? [`acumatica-zuora.${flow.id} *`] : [];
  });
}

const own = (content: object, name: string): unknown => Object.getOwnPropertyDescriptor(content, name)?.value;

/** The object a body holds; nothing when it is not UTF-8 or not JSON. Said twice, the last one counts. */
function contentOf(body: Buffer): object | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    const content: unknown = JSON.parse(text);
    if (typeof content !== 'object' || content === null || Array.isArray(content)) return undefined;
    return content;
  } catch {
    return undefined;
  }
}

/** As the gateway does it with what comes over the wire. */
export function delivered(request: RawRequest, isText: (type: string | undefined, encoding: string | undefined) => boolean): Delivered {
  const headers = new Map<string, string>();
  for (const [name, value] of request.headers) {
    const key = name.toLowerCase();
    const before = headers.get(key);
    headers.set(key, before === undefined ? value : `${before},${value}`);
  }
  const query = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(request.rawQuery)) {
    const before = query.get(name);
    query.set(name, before === undefined ? value : `${before},${value}`);
  }
  // A body of a text type travels as text: bytes that are no UTF-8 do not survive that.
  const asText = isText(headers.get('content-type'), headers.get('content-encoding'));
  const body = asText ? Buffer.from(request.body.toString('utf8')) : request.body;
  return { method: request.method, path: request.path, query, headers, body };
}
