import type { Hono } from 'hono';
import * as z from 'zod';
import { notFound, Refused } from '../failures.ts';
import { json } from '../gateway.ts';
import { pageOf, withNext } from '../paging.ts';
import { apiUserId } from '../query-objects/define.ts';
import type { Row } from '../rows.ts';
import type { Table } from '../table.ts';
import type { Tenant } from '../tenant.ts';
import { parseWallTime, utcTime, wallTime } from '../tenant-time.ts';
import { readJson } from '../v1-documents.ts';
import type { CalloutDesk } from './callouts.ts';
import type { CalloutTemplate, EventTrigger, HistoryRow, NotificationDefinition } from './rows.ts';
import { checkTrigger, definitionBody, newDefinition, newTemplate, newTrigger, templateBody, triggerBody } from './set-up.ts';

export function notificationRoutes(app: Hono, tenant: Tenant, desk: CalloutDesk): void {
  templateRoutes(app, tenant, desk);
  definitionRoutes(app, tenant, desk);
  triggerRoutes(app, tenant, desk);
  historyRoutes(app, tenant, desk);
}

function need<T extends Row>(table: Table<T>, id: string): T {
  const row = table.get(id);
  if (!row) throw notFound(id);
  return row;
}

function parse<T>(schema: z.ZodType<T>, text: string): T {
  const body = schema.safeParse(readJson(text));
  if (!body.success) throw new Refused('20', z.prettifyError(body.error), { object: '581000', status: 400 });
  return body.data;
}

const stamps = (row: Row) => ({
  id: row.id,
  createdBy: apiUserId,
  createdOn: utcTime(row.createdAt),
  updatedBy: apiUserId,
  updatedOn: utcTime(row.updatedAt),
});

/** Lists of this family count rows, not pages. */
function listed<T extends Row>(rows: readonly T[], address: string, first: number, usual: number, shown: (row: T) => unknown): Response {
  const url = new URL(address);
  const start = Number(url.searchParams.get('start') ?? first);
  const limit = Number(url.searchParams.get('limit') ?? usual);
  if (!Number.isInteger(start) || start < first || !Number.isInteger(limit) || limit < 1 || limit > 100)
    throw new Refused('20', `start must be at least ${first} and limit between 1 and 100`, { status: 400 });
  const from = start - first;
  const data = rows.slice(from, from + limit).map(shown);
  if (from + limit >= rows.length) return json({ data });
  url.searchParams.set('start', String(start + limit));
  url.searchParams.set('limit', String(limit));
  return json({ data, next: url.toString() });
}

function shownTemplate(row: CalloutTemplate) {
  const { createdAt: _created, updatedAt: _updated, ...fields } = row;
  return { ...fields, requiredOauth2: false, oauth2ProviderId: null, certificate: null, contentType: 'APPLICATION_JSON', ...stamps(row) };
}

function shownDefinition(row: NotificationDefinition) {
  const { createdAt: _created, updatedAt: _updated, ...fields } = row;
  return { ...fields, communicationProfileId: row.communicationProfileIds[0] ?? null, ...stamps(row) };
}

function shownTrigger(row: EventTrigger) {
  const { createdAt: _created, updatedAt: _updated, ...fields } = row;
  return fields;
}

function templateRoutes(app: Hono, tenant: Tenant, desk: CalloutDesk): void {
  const base = '/notifications/callout-templates';
  app.get(base, (context) => listed(desk.templates.all(), context.req.url, 1, 20, shownTemplate));
  app.post(base, async (context) => {
    const input = parse(templateBody, await context.req.text());
    return json(shownTemplate(newTemplate(tenant, desk, input)));
  });
  app.get(`${base}/:id`, (context) => json(shownTemplate(need(desk.templates, context.req.param('id')))));
  app.put(`${base}/:id`, async (context) => {
    const before = need(desk.templates, context.req.param('id'));
    const input = parse(templateBody, mergedText(shownTemplate(before), await context.req.text()));
    return json(shownTemplate(newTemplate(tenant, desk, input, before)));
  });
  app.delete(`${base}/:id`, (context) => {
    const template = need(desk.templates, context.req.param('id'));
    if (desk.definitions.all().some((definition) => definition.calloutTemplateIds.includes(template.id)))
      throw new Refused('30', 'The callout template is used by a notification definition', { status: 400 });
    desk.templates.delete(template.id);
    return new Response(null, { status: 204 });
  });
}

/** A PUT names what changes; the rest stays. */
function mergedText(before: object, text: string): string {
  const changes = readJson(text);
  return JSON.stringify({ ...before, ...(typeof changes === 'object' ? changes : {}) });
}

function definitionRoutes(app: Hono, tenant: Tenant, desk: CalloutDesk): void {
  const base = '/notifications/notification-definitions';
  app.get(base, (context) => {
    const { profileId, eventTypeName } = context.req.query();
    const rows = desk.definitions
      .all()
      .filter((row) => profileId === undefined || row.communicationProfileIds.includes(profileId))
      .filter((row) => eventTypeName === undefined || row.eventTypeName === eventTypeName);
    return listed(rows, context.req.url, 1, 20, shownDefinition);
  });
  app.post(base, async (context) => {
    const input = parse(definitionBody, await context.req.text());
    return json(shownDefinition(newDefinition(tenant, desk, input)));
  });
  app.get(`${base}/:id`, (context) => json(shownDefinition(need(desk.definitions, context.req.param('id')))));
  app.put(`${base}/:id`, async (context) => {
    const before = need(desk.definitions, context.req.param('id'));
    const { communicationProfileId: _first, ...shown } = shownDefinition(before);
    const input = parse(definitionBody, mergedText(shown, await context.req.text()));
    return json(shownDefinition(newDefinition(tenant, desk, input, before)));
  });
  app.delete(`${base}/:id`, (context) => {
    desk.definitions.delete(need(desk.definitions, context.req.param('id')).id);
    return new Response(null, { status: 204 });
  });
}

function triggerRoutes(app: Hono, tenant: Tenant, desk: CalloutDesk): void {
  const base = '/events/event-triggers';
  app.get(base, (context) => {
    const { baseObject, eventTypeName, active } = context.req.query();
    const rows = desk.triggers
      .all()
      .filter((row) => baseObject === undefined || row.baseObject === baseObject)
      .filter((row) => eventTypeName === undefined || row.eventType.name === eventTypeName)
      .filter((row) => active === undefined || String(row.active) === active);
    return listed(rows, context.req.url, 0, 10, shownTrigger);
  });
  app.post(base, async (context) => {
    const input = parse(triggerBody, await context.req.text());
    return json(shownTrigger(newTrigger(tenant, desk, input)));
  });
  app.get(`${base}/:id`, (context) => json(shownTrigger(need(desk.triggers, context.req.param('id')))));
  app.put(`${base}/:id`, async (context) => {
    const before = need(desk.triggers, context.req.param('id'));
    const input = parse(triggerBody, mergedText(shownTrigger(before), await context.req.text()));
    checkTrigger(input.baseObject, input.condition);
    const { description, eventType, id: _id, ...rest } = input;
    const type = { ...eventType, name: before.eventType.name, description: eventType.description ?? null };
    return json(
      shownTrigger(desk.triggers.put({ ...before, ...rest, description: description ?? null, eventType: type, updatedAt: tenant.now() })),
    );
  });
  app.delete(`${base}/:id`, (context) => {
    desk.triggers.delete(need(desk.triggers, context.req.param('id')).id);
    return new Response(null, { status: 204 });
  });
}

const dayMs = 86_400_000;

function historyRoutes(app: Hono, tenant: Tenant, desk: CalloutDesk): void {
  app.get('/v1/notification-history/callout', (context) => {
    const { startTime, endTime, failedOnly, eventCategory, objectId, includeResponseContent } = context.req.query();
    const { zone } = tenant.settings;
    const read = (text: string, name: string): string => {
      const instant = parseWallTime(text, zone);
      if (instant === undefined) throw new Refused('20', `${name} must be YYYY-MM-DDTHH:mm:ss`);
      return instant;
    };
    const end = endTime === undefined ? tenant.now() : read(endTime, 'endTime');
    const start = startTime === undefined ? new Date(Date.parse(end) - dayMs).toISOString() : read(startTime, 'startTime');
    const rows = desk.history
      .all()
      .filter((row) => Date.parse(row.createdAt) >= Date.parse(start) && Date.parse(row.createdAt) <= Date.parse(end))
      .filter((row) => failedOnly === 'false' || !row.succeeded)
      .filter((row) => eventCategory === undefined || String(row.eventCategory) === eventCategory)
      .filter((row) => objectId === undefined || row.objectId === objectId);
    const page = pageOf(rows, context.req.url, { usual: 20, most: 40 });
    const calloutHistories = page.rows.map((row) => shownHistory(row, zone, includeResponseContent !== 'false'));
    return json({ calloutHistories, ...withNext(page), success: true });
  });
  app.post('/notifications/callout-histories/resend', async (context) => {
    const ids = parse(z.array(z.string()).min(1).max(1000), await context.req.text());
    const unknown = ids.filter((id) => desk.history.get(id) === undefined);
    const failures = Object.fromEntries(
      unknown.map((id) => [id, { code: 'ObjectNotFound', message: `Cannot find callout history ${id}` }]),
    );
    if (unknown.length === ids.length) return json(failures, 400);
    for (const id of ids) {
      const delivery = desk.deliveries.get(desk.history.get(id)?.deliveryId ?? '');
      if (delivery) desk.deliveries.put({ ...delivery, state: 'waiting', attempts: 0, dueAt: tenant.world.clock.now().toISOString() });
    }
    return json(failures, 202);
  });
}

/** The documented sample has no id: ids come from a data query only. */
function shownHistory(row: HistoryRow, zone: string, withContent: boolean) {
  const bracketed = Object.entries(row.context).filter(([name]) => !name.startsWith('DataSource.'));
  return {
    attemptedNum: row.attemptedNum,
    createTime: wallTime(row.createdAt, zone),
    eventCategory: row.eventCategory ?? row.event,
    eventContext: Object.fromEntries(bracketed.map(([name, value]) => [`<${name}>`, value])),
    notification: row.notification,
    requestMethod: row.requestMethod,
    requestUrl: row.requestUrl,
    responseCode: row.responseCode,
    ...(withContent ? { responseContent: row.responseContent } : {}),
  };
}
