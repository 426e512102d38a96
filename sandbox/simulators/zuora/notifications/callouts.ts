import { type EventSubject, eventCodes, type StandardEvent } from '../events.ts';
import type { Row } from '../rows.ts';
import { Table } from '../table.ts';
import type { Tenant } from '../tenant.ts';
import { parseCondition } from './condition.ts';
import { contextOf, eventFields, merge } from './merge-fields.ts';
import type { CalloutTemplate, Delivery, EventTrigger, HistoryRow, NotificationDefinition } from './rows.ts';
import { requestBody, signature } from './signing.ts';

const timeoutMs = 25_000;
/** Codes that never reached HTTP. */
const noConnection = -1;
const invalidBody = -2000;

/** What a person does to callouts on their way: the next `count` are lost or late. */
export interface CalloutTrouble {
  lose: number;
  delay: number;
  delayMs: number;
  reorder: boolean;
}

interface Attempt {
  readonly code: number;
  readonly content: string;
  readonly contentType: string;
}

/** Definitions, templates, triggers, and the queue of callouts that they cause. */
export class CalloutDesk {
  readonly templates = new Table<CalloutTemplate>('CalloutTemplate');
  readonly definitions = new Table<NotificationDefinition>('NotificationDefinition');
  readonly triggers = new Table<EventTrigger>('EventTrigger');
  readonly deliveries = new Table<Delivery>('Delivery', ['objectId', 'state']);
  readonly history = new Table<HistoryRow>('CalloutHistory');
  readonly trouble: CalloutTrouble = { lose: 0, delay: 0, delayMs: 0, reorder: false };
  readonly #tenant: Tenant;
  readonly #conditions = new Map<string, ReturnType<typeof parseCondition>>();

  readonly #clockRuns: boolean;

  /** `clockRuns`: the world's clock moves by itself, so that a receiver that never answers can be given up on it. */
  constructor(tenant: Tenant, clockRuns: boolean) {
    this.#tenant = tenant;
    this.#clockRuns = clockRuns;
    tenant.announcer = (event, subject) => this.#announce(event, subject);
    tenant.watcher = (object, before, after) => this.#watch(object, before, after);
  }

  tables(): readonly Table<Row>[] {
    return [this.templates, this.definitions, this.triggers, this.deliveries, this.history];
  }

  #announce(event: StandardEvent, subject: EventSubject): void {
    const code = eventCodes[event];
    const definitions = this.definitions.all().filter((definition) => definition.eventCategory === code);
    this.#queue(definitions, { event, code }, subject, this.#rowOf(subject));
  }

  #rowOf(subject: EventSubject): Row | undefined {
    return this.#tenant
      .tables()
      .find((table) => table.object === subject.object)
      ?.get(subject.id);
  }

  #watch(object: string, before: Row | undefined, after: Row): void {
    for (const trigger of this.triggers.all()) {
      if (!trigger.active || trigger.baseObject !== object) continue;
      if (!this.#holds(trigger, before, after)) continue;
      const event = trigger.eventType.name;
      const definitions = this.definitions.all().filter((definition) => definition.eventTypeName === event);
      const account = object === 'Account' ? after.id : (after as Partial<Record<'accountId', string>>).accountId;
      const number = (after as Partial<Record<'number', string>>).number ?? '';
      const subject = { object, id: after.id, number, ...(account === undefined ? {} : { accountId: account }) };
      this.#queue(definitions, { event, code: null }, subject, after);
    }
  }

  #holds(trigger: EventTrigger, before: Row | undefined, after: Row): boolean {
    const now = eventFields(trigger.baseObject, after);
    const old = before === undefined ? {} : eventFields(trigger.baseObject, before);
    let condition = this.#conditions.get(trigger.condition);
    if (!condition) {
      condition = parseCondition(trigger.condition, () => true);
      this.#conditions.set(trigger.condition, condition);
    }
    return Boolean(
      condition((name) => {
        if (name === 'changeType') return before === undefined ? 'INSERT' : 'UPDATE';
        const field = name.slice(name.indexOf('.') + 1);
        return field.endsWith('_old') ? (old[field.slice(0, -4)] ?? null) : (now[field] ?? null);
      }),
    );
  }

  #queue(
    definitions: readonly NotificationDefinition[],
    caused: { readonly event: string; readonly code: number | null },
    subject: EventSubject,
    row: Row | undefined,
  ): void {
    const profile = subject.accountId === undefined ? undefined : this.#tenant.accounts.get(subject.accountId)?.communicationProfileId;
    const nowMs = this.#tenant.world.clock.now().getTime();
    for (const definition of definitions) {
      if (!definition.active || !definition.calloutActive) continue;
      // A definition fires only for accounts of the profiles it is attached to; runs belong to no account.
      if (profile !== undefined && !definition.communicationProfileIds.includes(profile)) continue;
      for (const templateId of definition.calloutTemplateIds) {
        if (this.templates.get(templateId)?.active !== true) continue;
        const late = this.trouble.delay > 0 ? this.trouble.delayMs : 0;
        if (this.trouble.delay > 0) this.trouble.delay -= 1;
        const lost = this.trouble.lose > 0;
        if (lost) this.trouble.lose -= 1;
        const waiting = this.deliveries.by('objectId', subject.id);
        const repeated = waiting.some(
          (other) => other.event === caused.event && other.templateId === templateId && other.state === 'waiting' && other.attempts === 0,
        );
        // Repeated changes of one object before a callout left are merged into one.
        if (caused.code === null && repeated) continue;
        this.deliveries.put({
          ...this.#tenant.stamp(),
          notificationId: this.#tenant.randomHex(32),
          templateId,
          definition: definition.name,
          event: caused.event,
          eventCategory: caused.code,
          objectId: subject.id,
          context: contextOf(this.#tenant, caused.event, subject, row),
          attempts: 0,
          dueAt: new Date(nowMs + late).toISOString(),
          state: lost ? 'lost' : 'waiting',
          lastCode: null,
        });
      }
    }
  }

  nextDue(): Date | undefined {
    const times = this.deliveries.by('state', 'waiting').map((delivery) => delivery.dueAt);
    const first = times.toSorted()[0];
    return first === undefined ? undefined : new Date(first);
  }

  due(): Delivery[] {
    const now = this.#tenant.world.clock.now().toISOString();
    const due = this.deliveries.by('state', 'waiting').filter((delivery) => delivery.dueAt <= now);
    const ordered = due.toSorted((left, right) =>
      left.dueAt < right.dueAt ? -1 : left.dueAt > right.dueAt ? 1 : left.id < right.id ? -1 : 1,
    );
    return this.trouble.reorder ? ordered.reverse() : ordered;
  }

  /** One attempt: at most two requests, when Basic authentication is asked for first. */
  async attempt(delivery: Delivery): Promise<void> {
    const template = this.templates.get(delivery.templateId);
    if (!template) {
      this.deliveries.put({ ...delivery, state: 'failed' });
      return;
    }
    this.deliveries.put({ ...delivery, state: 'sending' });
    const body = requestBody(template, delivery.context);
    const url = merge(template.calloutBaseurl, delivery.context);
    const attempt =
      body === undefined ? { code: invalidBody, content: '', contentType: '' } : await this.#send(delivery, template, url, body);
    const attempts = delivery.attempts + 1;
    const taken = this.#isTaken(attempt);
    const again = !taken && template.calloutRetry && this.#mayRetry(attempt) && attempts < this.#tenant.limits.calloutAttempts;
    const now = this.#tenant.world.clock.now();
    this.deliveries.put({
      ...delivery,
      attempts,
      lastCode: attempt.code,
      state: taken ? 'delivered' : again ? 'waiting' : 'failed',
      ...(again ? { dueAt: new Date(now.getTime() + this.#tenant.limits.calloutSpacingMinutes * 60_000).toISOString() } : {}),
    });
    this.history.put({
      ...this.#tenant.stamp(),
      deliveryId: delivery.id,
      attemptedNum: attempts,
      eventCategory: delivery.eventCategory,
      event: delivery.event,
      objectId: delivery.objectId,
      context: delivery.context,
      notification: delivery.definition,
      requestMethod: template.httpMethod,
      requestUrl: url,
      responseCode: attempt.code,
      responseContent: attempt.content.slice(0, 1000),
      succeeded: taken,
    });
  }

  async #inTime(answer: Promise<Response>): Promise<Response> {
    if (!this.#clockRuns) return answer;
    const late = this.#tenant.world.clock.sleep(timeoutMs).then((): never => {
      throw new Error('timed out');
    });
    return Promise.race([answer, late]);
  }

  /** What was under way when the tenant was saved is due again: it may arrive twice, as it may in reality. */
  restore(saved: Readonly<Record<string, readonly Row[]>>): void {
    for (const table of this.tables()) table.replaceAll(saved[table.object] ?? []);
    for (const delivery of this.deliveries.by('state', 'sending')) this.deliveries.put({ ...delivery, state: 'waiting' });
  }

  /** Only 200 is success; with confirmation by content the answer must say so too. */
  #isTaken(attempt: Attempt): boolean {
    return attempt.code === 200 && (!this.#tenant.limits.calloutConfirmedByBody || confirms(attempt));
  }

  #mayRetry(attempt: Attempt): boolean {
    const { code } = attempt;
    if (code === invalidBody) return false;
    return code === 200 || code < 200 || code === 403 || code === 408 || code === 429 || code >= 500;
  }

  async #send(delivery: Delivery, template: CalloutTemplate, url: string, body: string): Promise<Attempt> {
    const headers = this.#headers(delivery, template, body);
    const auth = template.requiredAuth ? template.calloutAuth : null;
    const basic = auth === null ? undefined : `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
    const first = await this.#request(
      template,
      url,
      body,
      basic !== undefined && auth?.preemptive === true ? { ...headers, authorization: basic } : headers,
    );
    if (basic === undefined || auth?.preemptive === true) return first.attempt;
    const asksBasic = first.attempt.code === 401 && /^Basic\b/i.test(first.challenge);
    return asksBasic ? (await this.#request(template, url, body, { ...headers, authorization: basic })).attempt : first.attempt;
  }

  #headers(delivery: Delivery, template: CalloutTemplate, body: string): Record<string, string> {
    const headers: Record<string, string> = {
      'zuora-notification-id': delivery.notificationId,
      'zuora-request-id': this.#tenant.randomHex(32),
      'x-amzn-trace-id': `Root=1-${this.#tenant.randomHex(8)}-${this.#tenant.randomHex(24)}`,
    };
    for (const [name, value] of Object.entries(template.calloutHeaders ?? {})) headers[name.toLowerCase()] = merge(value, delivery.context);
    const signed = signature(template, delivery.context, body);
    if (signed) headers[signed.name.toLowerCase()] = signed.value;
    if (template.httpMethod !== 'GET' && template.httpMethod !== 'DELETE') headers['content-type'] = 'application/json';
    return headers;
  }

  async #request(
    template: CalloutTemplate,
    url: string,
    body: string,
    headers: Record<string, string>,
  ): Promise<{ attempt: Attempt; challenge: string }> {
    const startMs = this.#tenant.world.clock.now().getTime();
    const hasBody = template.httpMethod !== 'GET' && template.httpMethod !== 'DELETE';
    try {
      const request = new Request(url, { method: template.httpMethod, headers, redirect: 'manual', ...(hasBody ? { body } : {}) });
      const response = await this.#inTime(this.#tenant.world.fetch(request));
      const content = await response.text();
      if (this.#tenant.world.clock.now().getTime() - startMs > timeoutMs) throw new Error('timed out');
      const contentType = response.headers.get('content-type') ?? '';
      return { attempt: { code: response.status, content, contentType }, challenge: response.headers.get('www-authenticate') ?? '' };
    } catch (error) {
      const content = error instanceof Error ? error.message : String(error);
      return { attempt: { code: noConnection, content, contentType: '' }, challenge: '' };
    }
  }
}

function confirms(attempt: Attempt): boolean {
  if (!/^application\/json\b/i.test(attempt.contentType)) return false;
  try {
    const content: unknown = JSON.parse(attempt.content);
    return typeof content === 'object' && content !== null && 'success' in content && content.success === true;
  } catch {
    return false;
  }
}
