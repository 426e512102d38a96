import type { Row } from '../rows.ts';

export interface CalloutTemplate extends Row {
  readonly name: string;
  readonly description: string | null;
  readonly active: boolean;
  readonly calloutBaseurl: string;
  readonly httpMethod: 'POST' | 'GET' | 'PUT' | 'PATCH' | 'DELETE';
  readonly eventCategory: number | null;
  readonly eventTypeName: string | null;
  readonly eventTypeNamespace: string | null;
  readonly calloutHeaders: Readonly<Record<string, string>> | null;
  readonly calloutParams: Readonly<Record<string, string>> | null;
  readonly useCustomRequestBody: boolean;
  readonly customRequestBody: string | null;
  readonly calloutRetry: boolean;
  readonly requiredAuth: boolean;
  readonly calloutAuth: BasicAuth | null;
  readonly hmacAlgorithm: string | null;
  readonly hmacOutputFormat: 'BASE64' | 'HEX' | null;
  readonly hmacSecret: string | null;
  readonly hmacData: string | null;
  readonly hmacKey: string | null;
  readonly hmacValue: string | null;
}

interface BasicAuth {
  readonly username: string;
  readonly password: string;
  readonly domain?: string | null | undefined;
  readonly preemptive?: boolean | undefined;
}

export interface NotificationDefinition extends Row {
  readonly name: string;
  readonly description: string | null;
  readonly active: boolean;
  readonly calloutActive: boolean;
  readonly emailActive: boolean;
  readonly eventCategory: number | null;
  readonly eventTypeName: string | null;
  readonly eventTypeNamespace: string | null;
  readonly calloutTemplateIds: readonly string[];
  readonly communicationProfileIds: readonly string[];
}

export interface EventTrigger extends Row {
  readonly active: boolean;
  readonly baseObject: string;
  readonly condition: string;
  readonly description: string | null;
  readonly eventType: { readonly name: string; readonly displayName: string; readonly description: string | null };
}

/** One callout on its way: made when the event happens, tried until it is taken, final or out of attempts. */
export interface Delivery extends Row {
  readonly notificationId: string;
  readonly templateId: string;
  readonly definition: string;
  readonly event: string;
  readonly eventCategory: number | null;
  readonly objectId: string;
  readonly context: Readonly<Record<string, string>>;
  readonly attempts: number;
  /** ISO with milliseconds. */
  readonly dueAt: string;
  readonly state: 'waiting' | 'sending' | 'delivered' | 'failed' | 'lost';
  readonly lastCode: number | null;
}

export interface HistoryRow extends Row {
  readonly deliveryId: string;
  readonly attemptedNum: number;
  readonly eventCategory: number | null;
  readonly event: string;
  readonly objectId: string;
  readonly context: Readonly<Record<string, string>>;
  readonly notification: string;
  readonly requestMethod: string;
  readonly requestUrl: string;
  readonly responseCode: number;
  readonly responseContent: string;
  readonly succeeded: boolean;
}
