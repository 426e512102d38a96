import type { FlowContext } from '../contracts/flow.ts';
import type { Integration, ReportResult } from '../contracts/integration.ts';
import type { Connection, HttpReply, Vendor, WebhookRequest } from '../contracts/vendor.ts';
import type { Side } from '../values/record-ref.ts';

/** `off` and `paused` write nothing; a paused flow keeps its changes for later, an off flow ends them as filtered. `preview` stores plans. */
export type FlowMode = 'live' | 'preview' | 'paused' | 'off';

export interface FlowSetting {
  readonly mode: FlowMode;
  /** Why it is off, when a rule and not a person switched it off. */
  readonly reason?: string;
  readonly poll: number | string;
}

export interface OpenConnection {
  readonly name: string;
  readonly vendor: Vendor;
  readonly client: unknown;
  readonly connection: Connection;
  /** Takes what the vendor gives to one worker at a time, before anything is read for a write. Fails with LaneBusy. */
  ready?(): Promise<void>;
}

/** An integration as configured right now, edits by operators included. Opened anew for every batch. */
export interface OpenIntegration {
  readonly context: FlowContext;
  readonly settings: unknown;
  flow(id: string): FlowSetting;
  connection(side: Side): OpenConnection;
}

export interface RunningIntegration {
  /** Name in connector.yaml; first part of every flow key. */
  readonly name: string;
  readonly definition: Integration;
  open(): Promise<OpenIntegration>;
}

export interface ReceivedMessage {
  readonly id: string;
  /** Raw text: may be anything. */
  readonly body: string;
  readonly receiveCount: number;
}

export interface FlowCounts {
  readonly flow: string;
  readonly listed: number;
  readonly unchanged: number;
  readonly queued: number;
}

export interface PollReport {
  readonly integration: string;
  readonly flows: readonly FlowCounts[];
  /** Flows not looked at, with the reason: not due, paused, connection broken. */
  readonly skipped: Readonly<Record<string, string>>;
}

export interface PollOptions {
  /** Flow ids; absent: all that are due. */
  readonly flows?: readonly string[];
  /** Also flows that are not due yet. */
  readonly force?: boolean;
  /** From the cut-over on instead of from the cursor, on the bulk queue, cause `backfill`. */
  readonly backfill?: boolean;
  /** Stop taking new pages after this instant; the cursor says where the next poll goes on. */
  readonly deadline?: Date;
}

/** What Lambdas, the sandbox and the operations call. One engine serves every integration of a deployment. */
export interface Engine {
  receiveWebhook(integration: string, side: Side, request: WebhookRequest): Promise<HttpReply>;
  poll(integration: string, options?: PollOptions): Promise<PollReport>;
  /** Ids of messages to be delivered again; everything else is done, requeued by the engine itself, or buried. Never throws for a record. */
  process(integration: string, messages: readonly ReceivedMessage[], deadline: Date): Promise<{ readonly failed: readonly string[] }>;
  /** The housekeeping of an integration: due holds and waits, abandoned writes, reference data, pings of paused connections, stale dead letters, reports. */
  keep(integration: string, options?: { readonly deadline?: Date }): Promise<Readonly<Record<string, number>>>;
  /** Runs one report now, of a period or of its usual one, and keeps the result as a scheduled run does. Fails with ConfigurationInvalid when there is no such report. */
  report(integration: string, asked: { readonly report: string; readonly period?: string }): Promise<ReportResult>;
}
