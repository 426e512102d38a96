import * as z from 'zod';
import { eventCodes } from '../events.ts';
import { Refused } from '../failures.ts';
import type { Tenant } from '../tenant.ts';
import type { CalloutDesk } from './callouts.ts';
import { parseCondition } from './condition.ts';
import { baseObjects } from './merge-fields.ts';
import type { CalloutTemplate, EventTrigger, NotificationDefinition } from './rows.ts';

/** Codes of all standard events, also of those this tenant never has. */
const categories = new Set<number>([
  ...Object.values(eventCodes),
  ...[
    1120, 1130, 1140, 1210, 1220, 1230, 1310, 1610, 1710, 1810, 2130, 2150, 2210, 2220, 2230, 2310, 2420, 2510, 2520, 2610, 2730, 2830,
    3210,
  ],
]);

const loopback = ['127.0.0.1', 'localhost', '[::1]'];

/** https on port 443; a rehearsal on one machine may use plain loopback addresses, which no vendor could reach anyway. */
function isCalloutAddress(text: string): boolean {
  try {
    const url = new URL(text.replace(/\{\{[^}]*\}\}/g, 'x'));
    return (url.protocol === 'https:' && url.port === '') || (url.protocol === 'http:' && loopback.includes(url.hostname));
  } catch {
    return false;
  }
}

const readOnly = {
  id: z.unknown(),
  createdBy: z.unknown(),
  createdOn: z.unknown(),
  updatedBy: z.unknown(),
  updatedOn: z.unknown(),
} as const;

const event = {
  eventCategory: z.number().nullish(),
  eventTypeName: z.string().min(1).nullish(),
  eventTypeNamespace: z.enum(['user.notification', 'com.zuora.notification']).nullish(),
} as const;

const oneEvent = (body: { eventCategory?: number | null | undefined; eventTypeName?: string | null | undefined }): boolean =>
  (body.eventCategory ?? null) === null
    ? (body.eventTypeName ?? null) !== null
    : (body.eventTypeName ?? null) === null && categories.has(body.eventCategory ?? 0);
const oneEventMessage = 'give a known eventCategory or an eventTypeName, not both';

const textMap = z.record(z.string(), z.string());

export const templateBody = z
  .strictObject({
    ...event,
    name: z.string().min(1).max(255),
    description: z.string().max(255).nullish(),
    active: z.boolean().default(true),
    calloutBaseurl: z.string().min(10).max(1000).refine(isCalloutAddress, 'https on port 443'),
    httpMethod: z.enum(['POST', 'GET', 'PUT', 'PATCH', 'DELETE']),
    calloutHeaders: textMap.nullish(),
    calloutParams: textMap.nullish(),
    useCustomRequestBody: z.boolean().default(false),
    customRequestBody: z.string().nullish(),
    calloutRetry: z.boolean().default(true),
    requiredAuth: z.boolean().default(false),
    calloutAuth: z
      .strictObject({ username: z.string(), password: z.string(), domain: z.string().nullish(), preemptive: z.boolean().optional() })
      .nullish(),
    requiredOauth2: z.literal(false, 'no OAuth 2.0 provider is configured in this tenant').default(false),
    oauth2ProviderId: z.null().optional(),
    certificate: z.string().nullish(),
    hmacAlgorithm: z.enum(['MD5', 'SHA-1', 'SHA-224', 'SHA-256', 'SHA-384', 'SHA-512']).nullish(),
    hmacOutputFormat: z.enum(['BASE64', 'HEX']).nullish(),
    hmacSecret: z.string().nullish(),
    hmacData: z.string().nullish(),
    hmacKey: z.string().nullish(),
    hmacValue: z.string().nullish(),
    contentType: z.unknown(),
    ...readOnly,
  })
  .partial(optional(['id', 'createdBy', 'createdOn', 'updatedBy', 'updatedOn', 'contentType']))
  .refine(oneEvent, oneEventMessage)
  .refine((body) => (body.customRequestBody ?? null) === null || body.useCustomRequestBody, 'customRequestBody needs useCustomRequestBody')
  .refine(
    (body) =>
      (body.hmacAlgorithm ?? null) === null ||
      Boolean(body.hmacSecret && body.hmacData && body.hmacKey && body.hmacValue && body.hmacOutputFormat),
    'hmacAlgorithm needs hmacOutputFormat, hmacSecret, hmacData, hmacKey and hmacValue',
  )
  .refine((body) => !body.requiredAuth || (body.calloutAuth ?? null) !== null, 'requiredAuth needs calloutAuth');

function optional<Name extends string>(names: readonly Name[]): Record<Name, true> {
  return Object.fromEntries(names.map((name) => [name, true])) as Record<Name, true>;
}

export const definitionBody = z
  .strictObject({
    ...event,
    name: z.string().min(1).max(255),
    description: z.string().max(255).nullish(),
    active: z.boolean().default(true),
    /** Off unless it is switched on. */
    calloutActive: z.boolean().default(false),
    emailActive: z.boolean().default(false),
    emailTemplateId: z.null().optional(),
    calloutTemplateIds: z.array(z.string()).default([]),
    communicationProfileIds: z.array(z.string()).min(1).optional(),
    communicationProfileId: z.string().optional(),
    ...readOnly,
  })
  .partial(optional(['id', 'createdBy', 'createdOn', 'updatedBy', 'updatedOn']))
  .refine(oneEvent, oneEventMessage)
  .refine((body) => !body.calloutActive || body.calloutTemplateIds.length > 0, 'calloutActive needs calloutTemplateIds');

export const triggerBody = z
  .strictObject({
    active: z.boolean().default(true),
    baseObject: z.string(),
    condition: z.string().min(1),
    description: z.string().nullish(),
    eventType: z.strictObject({ name: z.string().min(1), displayName: z.string().min(1), description: z.string().nullish() }),
    id: z.unknown(),
  })
  .partial({ id: true });

export function newTemplate(
  tenant: Tenant,
  desk: CalloutDesk,
  input: z.output<typeof templateBody>,
  before?: CalloutTemplate,
): CalloutTemplate {
  const twin = desk.templates.all().find((other) => other.name === input.name && other.id !== before?.id);
  if (twin) throw new Refused('30', `A callout template named '${input.name}' already exists`, { object: '581000', status: 400 });
  return desk.templates.put({
    ...tenant.stamp(before?.id),
    createdAt: before?.createdAt ?? tenant.now(),
    name: input.name,
    description: input.description ?? null,
    active: input.active,
    calloutBaseurl: input.calloutBaseurl,
    httpMethod: input.httpMethod,
    eventCategory: input.eventCategory ?? null,
    eventTypeName: input.eventTypeName ?? null,
    eventTypeNamespace: namespaceOf(input),
    calloutHeaders: input.calloutHeaders ?? null,
    calloutParams: input.calloutParams ?? null,
    useCustomRequestBody: input.useCustomRequestBody,
    customRequestBody: input.customRequestBody ?? null,
    calloutRetry: input.calloutRetry,
    requiredAuth: input.requiredAuth,
    calloutAuth: input.calloutAuth ?? null,
    hmacAlgorithm: input.hmacAlgorithm ?? null,
    hmacOutputFormat: input.hmacOutputFormat ?? null,
    hmacSecret: input.hmacSecret ?? null,
    hmacData: input.hmacData ?? null,
    hmacKey: input.hmacKey ?? null,
    hmacValue: input.hmacValue ?? null,
  });
}

function namespaceOf(input: { eventTypeName?: string | null | undefined; eventTypeNamespace?: string | null | undefined }): string | null {
  return (input.eventTypeName ?? null) === null ? null : (input.eventTypeNamespace ?? 'user.notification');
}

export function newDefinition(
  tenant: Tenant,
  desk: CalloutDesk,
  input: z.output<typeof definitionBody>,
  before?: NotificationDefinition,
): NotificationDefinition {
  const profiles = input.communicationProfileIds ?? [input.communicationProfileId ?? tenant.defaultProfile().id];
  const refuse = (message: string): Refused => new Refused('30', message, { object: '581000', status: 400 });
  for (const id of profiles) if (!tenant.profiles.get(id)) throw refuse(`Communication profile '${id}' does not exist`);
  for (const id of input.calloutTemplateIds) {
    const template = desk.templates.get(id);
    if (!template) throw refuse(`Callout template '${id}' does not exist`);
    if (template.eventCategory !== (input.eventCategory ?? null) || template.eventTypeName !== (input.eventTypeName ?? null))
      throw refuse(`Callout template '${template.name}' is for another event`);
  }
  if (input.eventTypeName && input.eventTypeNamespace !== 'com.zuora.notification') {
    const known = desk.triggers.all().some((trigger) => trigger.eventType.name === input.eventTypeName);
    if (!known) throw refuse(`Event type '${input.eventTypeName}' does not exist`);
  }
  const twin = desk.definitions
    .all()
    .find(
      (other) => other.id !== before?.id && other.name === input.name && other.communicationProfileIds.some((id) => profiles.includes(id)),
    );
  if (twin) throw refuse(`A notification definition named '${input.name}' already exists in the communication profile`);
  return desk.definitions.put({
    ...tenant.stamp(before?.id),
    createdAt: before?.createdAt ?? tenant.now(),
    name: input.name,
    description: input.description ?? null,
    active: input.active,
    calloutActive: input.calloutActive,
    emailActive: input.emailActive,
    eventCategory: input.eventCategory ?? null,
    eventTypeName: input.eventTypeName ?? null,
    eventTypeNamespace: namespaceOf(input),
    calloutTemplateIds: input.calloutTemplateIds,
    communicationProfileIds: [...new Set(profiles)],
  });
}

export function checkTrigger(baseObject: string, condition: string): void {
  if (!baseObjects.includes(baseObject)) throw new Refused('20', `baseObject '${baseObject}' is not supported`, { status: 400 });
  try {
    parseCondition(condition, (name) => name === 'changeType' || name.startsWith(`${baseObject}.`));
  } catch (error) {
    throw new Refused('20', `Invalid condition: ${error instanceof Error ? error.message : 'unreadable'}`, { status: 400 });
  }
}

export function newTrigger(tenant: Tenant, desk: CalloutDesk, input: z.output<typeof triggerBody>): EventTrigger {
  checkTrigger(input.baseObject, input.condition);
  if (desk.triggers.size >= 1000) throw new Refused('70', 'A tenant has up to 1,000 event triggers', { status: 400 });
  if (desk.triggers.all().some((other) => other.eventType.name === input.eventType.name))
    throw new Refused('30', `Event type '${input.eventType.name}' already exists`, { status: 400 });
  return desk.triggers.put({
    ...tenant.stamp(),
    active: input.active,
    baseObject: input.baseObject,
    condition: input.condition,
    description: input.description ?? null,
    eventType: { ...input.eventType, description: input.eventType.description ?? null },
  });
}
