import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import type { HttpReply, Signal, WebhookReceiver, WebhookRequest } from '../../contracts/vendor.ts';
import { Failure } from '../../failures.ts';
import type { Secret } from '../../values/secret.ts';
import { calloutEvents } from './callout-events.ts';
import type { ZuoraConnection, ZuoraSettings } from './settings.ts';

type Credentials = Readonly<Record<string, Secret>>;

/** Only the event and one id are ever read; everything else in a callout is text in somebody's locale. */
const bodySchema = z.looseObject({ event: z.string().max(100), objectId: z.string().max(100).optional() });

/** Ids come in several families of 32 hexadecimal characters. */
const recordId = /^[0-9a-f]{32}$/i;
/** Run numbers: prefix and digits, configurable in the tenant. */
const runNumber = /^[A-Za-z0-9_-]{1,40}$/;
const nodeAlgorithm = { 'SHA-224': 'sha224', 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' } as const;
const realm = 'ml-connector';

/**
 * Proves callouts over their raw bytes. There is no time stamp in the scheme: repeats are caught by the notification id, and a replayed
 * callout can only make us read the record again.
 * Source: https://docs.zuora.com/en/zuora-platform/events-and-notifications/callout-templates (HMAC, read 2026-01-18)
 */
export const zuoraWebhooks: WebhookReceiver<ZuoraSettings> = {
  maxBytes: 64 * 1024,

  async receive(request, connection) {
    // GET callouts carry their values nobody documents where; our templates never use them.
    if (request.method !== 'POST') throw refused('it is not a POST');
    const { mode } = connection.settings.callouts;
    const sets = [await connection.credentials(), await connection.previousCredentials()].filter(
      (set): set is Credentials => set !== undefined,
    );
    if (mode === 'basic') {
      if (request.headers['authorization'] === undefined) return { reply: challenge() };
      if (!sets.some((set) => provesBasic(request, set))) throw refused('user or password is wrong');
    } else if (mode === 'hmac') {
      if (!sets.some((set) => provesHmac(request, connection, set))) throw refused('its signature does not match its body');
    } else if (!sets.some((set) => provesPath(request, set))) throw refused('its address does not hold the secret token');
    return { signals: [signalOf(request, mode === 'unsigned')] };
  },

  answer(result, connection): HttpReply {
    switch (result) {
      // Only 200 counts as success, and templates may want to read it from the body as well. An error for an event we do not move
      // would be repeated for hours.
      case 'accepted':
      case 'unknown':
        return json(200, { success: true });
      case 'rejected':
        return connection.settings.callouts.mode === 'basic' ? challenge() : json(401, { success: false });
      case 'oversized':
        return json(413, { success: false });
      case 'unavailable':
        return json(503, { success: false }); // repeated by Zuora after half an hour
    }
  },
};

function provesHmac(request: WebhookRequest, connection: ZuoraConnection, set: Credentials): boolean {
  const { algorithm, header, valuePrefix } = connection.settings.callouts;
  const secret = set['hmacSecret']?.reveal();
  const sent = request.headers[header.toLowerCase()]?.trim();
  if (!secret || !sent?.startsWith(valuePrefix)) return false;
  const expected = createHmac(nodeAlgorithm[algorithm], secret).update(request.body).digest();
  const given = digestOf(sent.slice(valuePrefix.length).trim(), expected.length);
  return given !== undefined && timingSafeEqual(given, expected);
}

/** BASE64 or HEX in any letter case, told apart by length and alphabet; anything that is not exactly one digest is nothing. */
function digestOf(sent: string, bytes: number): Buffer | undefined {
  if (sent.length === bytes * 2 && /^[0-9a-f]+$/i.test(sent)) return Buffer.from(sent, 'hex');
  const decoded = Buffer.from(sent, 'base64');
  const exact = decoded.length === bytes && decoded.toString('base64').replace(/=+$/, '') === sent.replace(/=+$/, '');
  return exact ? decoded : undefined;
}

function provesBasic(request: WebhookRequest, set: Credentials): boolean {
  const user = set['basicUser']?.reveal();
  const password = set['basicPassword']?.reveal();
  const sent = /^basic\s+([A-Za-z0-9+/=]+)$/i.exec(request.headers['authorization']?.trim() ?? '')?.[1];
  if (!user || !password || sent === undefined) return false;
  return sameText(Buffer.from(sent, 'base64').toString('utf8'), `${user}:${password}`);
}

/** As `token` in the query, where registration puts it, or as a segment of the path, where a route of the operator's may. */
function provesPath(request: WebhookRequest, set: Credentials): boolean {
  const token = set['pathToken']?.reveal();
  if (!token) return false;
  return [request.query['token'] ?? '', ...request.path.split('/').map(decoded)].some((given) => sameText(given, token));
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Constant time whatever the lengths, by comparing digests. */
function sameText(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

function signalOf(request: WebhookRequest, unsigned: boolean): Signal {
  const body = bodySchema.safeParse(parsed(request.body));
  if (!body.success)
    throw unknown('a callout whose body is not ours', 'In Zuora, compare the body of the callout template with the set-up sheet.');
  const { event: name, objectId } = body.data;
  const event = calloutEvents.find((known) => known.name === name);
  if (!event)
    throw unknown(
      `the event ${JSON.stringify(name.slice(0, 60))}`,
      'Nothing to do; to stop it, deactivate its notification definition in Zuora.',
    );
  if (unsigned && !recordId.test(objectId ?? ''))
    throw unknown(
      `an unsigned ${event.name} without the id of one record`,
      'Sign the callouts (callouts.mode hmac) to let run events through.',
    );
  const usable = event.names === 'record' ? recordId : event.names === 'number' ? runNumber : undefined;
  return {
    event: event.name,
    ...(objectId !== undefined && usable?.test(objectId) ? { objectId } : {}),
    dedupeKey: notificationId(request) ?? `body:${createHash('sha256').update(request.body).digest('hex')}`,
  };
}

/** The same in all attempts of one notification. */
function notificationId(request: WebhookRequest): string | undefined {
  const sent = request.headers['zuora-notification-id']?.trim();
  return sent !== undefined && /^[\x21-\x7e]{1,120}$/.test(sent) ? sent : undefined;
}

/** With JSON.parse: only two texts are read, so no digit can be lost, a number stays no id, and no nesting is too deep for it. */
function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

const json = (status: number, body: object, headers: Readonly<Record<string, string>> = {}): HttpReply => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

/** Without `preemptive`, Zuora's first request comes bare and expects to be asked. */
const challenge = (): HttpReply => json(401, { success: false }, { 'www-authenticate': `Basic realm="${realm}"` });

function refused(why: string): Failure {
  return new Failure('SignatureRejected', {
    cause: 'callout:zuora',
    sentence: `A callout was refused because ${why}. Nothing was read from it.`,
    fix: 'If callouts of your own tenant are refused, run `connect register`: it writes the present secret into the callout templates.',
  });
}

function unknown(what: string, fix: string): Failure {
  return new Failure('WebhookUnknown', { cause: 'callout:zuora', sentence: `Zuora sent ${what}; ml-connector moves nothing for it.`, fix });
}
