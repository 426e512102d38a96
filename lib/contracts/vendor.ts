import type * as z from 'zod';
import type { Secret } from '../values/secret.ts';
import type { Io } from './io.ts';

export type VendorKey = 'acumatica' | 'bill' | 'cin7' | 'nav' | 'zoho' | 'zuora';

/** One credential a vendor needs; drives prompts, validation and masking. */
export interface CredentialField {
  readonly name: string;
  readonly label: string;
  /** Where a person finds it. */
  readonly help: string;
  readonly secret: boolean;
  readonly required: boolean;
  readonly example?: string;
}

/** One tenant of a vendor, settings parsed by the vendor's schema. */
export interface Connection<Settings = unknown> {
  /** Name in connector.yaml. */
  readonly name: string;
  readonly settings: Settings;
  /** Reads the current credentials; the previous ones while a rotation lasts. */
  credentials(): Promise<Readonly<Record<string, Secret>>>;
  previousCredentials(): Promise<Readonly<Record<string, Secret>> | undefined>;
}

/** The outcome of one readiness check: `red` stops the pair, `amber` runs with a limit. */
export interface CheckResult {
  /** Short stable id, `A3`, `Z1`. */
  readonly id: string;
  readonly level: 'green' | 'amber' | 'red';
  /** What was found. */
  readonly sentence: string;
  /** Who does what where; absent when green. */
  readonly fix?: string;
}

/** A webhook request exactly as it came in. Header names are lower case; `body` is the raw bytes. */
export interface WebhookRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A proven notice: something happened to one object, or a run completed. Data in the notice beyond these is never used. */
export interface Signal {
  /** The vendor's event by our stable name: `InvoicePosted`. */
  readonly event: string;
  /** The vendor's id of the object; absent when the notice names none: then the flows that listen are polled now. */
  readonly objectId?: string;
  /** The vendor's id of this notice, the same in all its repeats. */
  readonly dedupeKey: string;
}

export interface WebhookReceiver<Settings> {
  /** Largest body taken, in bytes. */
  readonly maxBytes: number;
  /**
   * Proves the request and names what it is about. No I/O beyond the connection's credentials.
   * Fails: SignatureRejected, WebhookUnknown (proven, but nothing we move). A handshake that must be answered at once is a `reply`.
   */
  receive(
    request: WebhookRequest,
    connection: Connection<Settings>,
  ): Promise<{ readonly signals: readonly Signal[] } | { readonly reply: HttpReply }>;
  /** The vendor's temper: which answer means accepted, forged, unknown, oversized and "our queue is down, send it again". */
  answer(result: 'accepted' | 'rejected' | 'unknown' | 'oversized' | 'unavailable', connection: Connection<Settings>): HttpReply;
}

/** A vendor is a record before it is code. */
export interface Vendor<Settings = unknown, Client = unknown> {
  readonly key: VendorKey;
  readonly title: string;
  readonly settings: z.ZodType<Settings>;
  readonly credentials: readonly CredentialField[];
  readonly docs: readonly { readonly title: string; readonly url: string; readonly readOn: string }[];
  /** No I/O here: the first request fetches the token. */
  open(connection: Connection<Settings>, io: Io): Client;
  /** Can this connection be used at all: address, credentials, permissions. Never throws: a failure is a red result. */
  check(client: Client): Promise<readonly CheckResult[]>;
  readonly webhooks?: WebhookReceiver<Settings>;
  /** How the requests of a connection are metered. */
  limits(settings: Settings): { readonly requestsPerMinute: number; readonly burst: number; readonly lanes?: number };
}
