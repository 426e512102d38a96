import * as z from 'zod';
import type { Io } from '../../contracts/io.ts';
import type { CheckResult } from '../../contracts/vendor.ts';
import { asFailure, Failure } from '../../failures.ts';
import type { CalloutEvent } from './callout-events.ts';
import { chosenEvents, instructions, type RegistrationAsk, registeredName, templateFor, type Wanted } from './callout-template.ts';
import { fetchPage } from './query.ts';
import type { ZuoraSender } from './sender.ts';
import { baseUrlOf, type ZuoraConnection } from './settings.ts';
import { flag, record, text } from './text.ts';

/*
 * What Zuora sends, and how it signs it, is configuration in Zuora: a callout template per event, a notification definition that ties it to
 * communication profiles, and an event trigger for events that Zuora does not have by itself. All are found by name, created or repaired.
 * Sources: https://developer.zuora.com/v1-api-reference/api/operation/CreateCalloutTemplate/ (read 2026-01-20),
 * https://developer.zuora.com/v1-api-reference/api/operation/POST_Create_Notification_Definition/ (read 2026-01-20; the description of 2023-12
 * says definitions of standard events cannot be made by this API: then the instructions are what remains)
 */

interface Via {
  readonly sender: ZuoraSender;
  readonly connection: ZuoraConnection;
  readonly io: Io;
}

const namedSchema = record({ id: text, name: text.optional(), active: flag.optional() });
type Named = z.infer<typeof namedSchema>;
const listSchema = z.looseObject({ data: z.array(namedSchema).default([]), next: z.string().nullish() });
const triggerSchema = record({ id: text, eventType: record({ name: text }).optional() });

/** Creates or repairs everything; with a missing permission, answers the instructions a person follows instead. */
export async function registerCallouts(via: Via, ask: RegistrationAsk): Promise<readonly string[]> {
  const secrets = await via.connection.credentials();
  const done: string[] = [];
  try {
    const profiles = await listCommunicationProfiles(via.sender);
    const triggers = await listTriggers(via);
    const templates = await listNamed(via, 'callout-templates');
    const definitions = await listNamed(via, 'notification-definitions');
    for (const event of chosenEvents(ask)) {
      if (event.trigger) done.push(...(await convergeTrigger(via, event, triggers)));
      const name = registeredName(ask, event);
      const template = templateFor(via.connection, ask, event, secrets);
      const found = templates.find((known) => known.name === name);
      const templateId = found?.id ?? (await create(via, 'callout-templates', template));
      if (!found) done.push(`Created callout template “${name}”.`);
      else if (ask.rewriteSecrets || differences(found, template).length > 0) {
        await replace(via, 'callout-templates', found.id, template);
        done.push(`Repaired callout template “${name}” (${differences(found, template).join(', ') || 'secrets'}).`);
      }
      done.push(...(await convergeDefinitions(via, { name, event, templateId, profiles, definitions })));
    }
  } catch (error) {
    const failure = asFailure(error);
    if (!['PermissionMissing', 'FeatureOff'].includes(failure.kind)) throw failure;
    return [...done, failure.message, ...instructions(via.connection, ask)];
  }
  return done.length > 0 ? done : ['Everything is registered already.'];
}

/** Check Z6: amber where documents would arrive by poll only. */
export async function inspectCallouts(via: Via, ask: RegistrationAsk): Promise<readonly CheckResult[]> {
  const amber = (sentence: string): CheckResult => ({
    id: 'Z6',
    level: 'amber',
    sentence,
    fix: 'Run `connect register` for this integration.',
  });
  try {
    const [profiles, templates, definitions] = await Promise.all([
      listCommunicationProfiles(via.sender),
      listNamed(via, 'callout-templates'),
      listNamed(via, 'notification-definitions'),
    ]);
    const secrets = await via.connection.credentials();
    const results = chosenEvents(ask).flatMap((event): CheckResult[] => {
      const name = registeredName(ask, event);
      const template = templates.find((known) => known.name === name);
      if (!template) return [amber(`Zuora has no callout template “${name}”: ${event.name} arrives by poll only.`)];
      const wrong = differences(template, templateFor(via.connection, ask, event, secrets));
      const ours = definitions.filter((known) => known.name === name);
      const firing = ours.filter((known) => known.active !== false && known['calloutActive'] === true);
      const covered = new Set(firing.flatMap(profilesOf));
      return [
        ...(wrong.length > 0 ? [amber(`Callout template “${name}” differs in ${wrong.join(', ')}.`)] : []),
        ...(ours.length > firing.length ? [amber(`Notification definition “${name}” is not active.`)] : []),
        ...profiles
          .filter((profile) => !covered.has(profile))
          .map((profile) => amber(`Communication profile ${profile} has no definition “${name}”: its documents arrive by poll only.`)),
      ];
    });
    return results.length > 0
      ? results
      : [{ id: 'Z6', level: 'green', sentence: 'All callouts are registered on every communication profile.' }];
  } catch (error) {
    return [amber(`Callouts could not be inspected: ${asFailure(error).message}`)];
  }
}

/**
 * Distinct profiles of accounts, one request per profile: each asks for one account that has none of those already known.
 * A definition fires only for accounts of the profiles it is attached to.
 */
async function listCommunicationProfiles(sender: ZuoraSender): Promise<readonly string[]> {
  const known: string[] = [];
  for (;;) {
    const filters = known.map((profile) => `communicationprofileid.NE:${profile}`);
    const { rows } = await fetchPage(sender, 'accounts', { sort: 'updateddate.DESC', filters }, { pageSize: 1 });
    const profile = rows[0]?.communicationProfileId;
    if (profile === undefined || known.includes(profile)) return known;
    known.push(profile);
  }
}

async function convergeTrigger(
  via: Via,
  event: CalloutEvent,
  triggers: readonly z.infer<typeof triggerSchema>[],
): Promise<readonly string[]> {
  if (!event.trigger) return [];
  const { baseObject, condition, displayName } = event.trigger;
  const wanted = { active: true, baseObject, condition, eventType: { name: event.name, displayName } };
  const found = triggers.find((known) => known.eventType?.name === event.name);
  if (!found) {
    await create(via, 'event-triggers', wanted);
    return [`Created event trigger “${event.name}”.`];
  }
  if (found['condition'] === condition && found['active'] === true) return [];
  await replace(via, 'event-triggers', found.id, { active: true, condition });
  return [`Repaired event trigger “${event.name}”.`];
}

async function convergeDefinitions(
  via: Via,
  given: {
    readonly name: string;
    readonly event: CalloutEvent;
    readonly templateId: string;
    readonly profiles: readonly string[];
    readonly definitions: readonly Named[];
  },
): Promise<readonly string[]> {
  const { name, event, templateId, profiles } = given;
  const base = {
    name,
    ...(event.trigger ? { eventTypeName: event.name, eventTypeNamespace: 'user.notification' } : { eventCategory: event.category }),
    active: true,
    calloutActive: true,
    emailActive: false,
    calloutTemplateIds: [templateId],
  };
  const done: string[] = [];
  const ours = given.definitions.filter((known) => known.name === name);
  const missing = profiles.filter((profile) => !ours.flatMap(profilesOf).includes(profile));
  for (const [index, found] of ours.entries()) {
    const attached = profilesOf(found);
    const wanted = index === 0 && missing.length > 0 ? [...attached, ...missing] : attached;
    const linked = Array.isArray(found['calloutTemplateIds']) && found['calloutTemplateIds'].includes(templateId);
    if (linked && found.active !== false && found['calloutActive'] === true && wanted.length === attached.length) continue;
    await replace(via, 'notification-definitions', found.id, {
      ...base,
      ...(wanted.length === 0 ? {} : { communicationProfileIds: wanted }),
    });
    done.push(`Repaired notification definition “${name}”${wanted.length > attached.length ? `: now on ${wanted.length} profiles` : ''}.`);
  }
  if (ours.length > 0) return done;
  await create(via, 'notification-definitions', { ...base, ...(profiles.length === 0 ? {} : { communicationProfileIds: profiles }) });
  return [`Created notification definition “${name}” on ${profiles.length} communication profile(s).`];
}

/** Members of what should be that are otherwise there. Secrets are left out: Zuora may hide them, and they must not be printed. */
function differences(found: Named, wanted: Wanted): readonly string[] {
  const members: Readonly<Record<string, unknown>> = found;
  return Object.entries(wanted)
    .filter(([member]) => !['hmacSecret', 'calloutAuth', 'description', 'name'].includes(member))
    .filter(([member, value]) => String(members[member] ?? '') !== String(value ?? ''))
    .map(([member]) => member);
}

/** Newer answers list `communicationProfileIds`, older ones name one. */
function profilesOf(definition: Named): readonly string[] {
  const several = definition['communicationProfileIds'];
  if (Array.isArray(several)) return several.filter((id): id is string => typeof id === 'string');
  const one = definition['communicationProfileId'];
  return typeof one === 'string' ? [one] : [];
}

const families = {
  'callout-templates': '/notifications',
  'notification-definitions': '/notifications',
  'event-triggers': '/events',
} as const;
type Family = keyof typeof families;
const familyPath = (family: Family): string => `${families[family]}/${family}`;
const doing = (verb: string, family: Family): string => `${verb} ${family.replace('-', ' ')}`;

async function listNamed(via: Via, family: Family): Promise<readonly Named[]> {
  return listAll(via, family, listSchema, (page) => page.data);
}

async function listTriggers(via: Via): Promise<readonly z.infer<typeof triggerSchema>[]> {
  const schema = z.looseObject({ data: z.array(triggerSchema).default([]), next: z.string().nullish() });
  return listAll(via, 'event-triggers', schema, (page) => page.data);
}

async function listAll<Page extends { readonly next?: string | null | undefined }, Row>(
  via: Via,
  family: Family,
  answer: z.ZodType<Page>,
  rowsOf: (page: Page) => readonly Row[],
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const seen = new Set<string>();
  // The first request names no start: definitions count from 1, triggers from 0; `next` says how each goes on.
  let query: readonly (readonly [string, string])[] = [['limit', '50']];
  for (;;) {
    const page = await via.sender.send({
      operation: `GET ${familyPath(family)}`,
      path: familyPath(family),
      query,
      doing: doing('list', family),
      effect: 'read',
      answer,
    });
    rows.push(...rowsOf(page));
    if (!page.next) return rows;
    const base = baseUrlOf(via.connection.settings);
    const next = URL.canParse(page.next, base) ? new URL(page.next, base).searchParams : undefined;
    // Only its query is used, on our own address.
    if (!next?.has('start') || seen.has(page.next))
      throw new Failure('ShapeUnexpected', {
        cause: `paging:zuora:${family}`,
        sentence: `Zuora's list of ${family.replace('-', ' ')} does not say how it goes on; nothing was changed.`,
        fix: 'Register the callouts by hand as the set-up sheet says, and send the audit entry to the maintainers of ml-connector.',
      });
    seen.add(page.next);
    query = [...next];
  }
}

async function create(via: Via, family: Family, body: Wanted): Promise<string> {
  const made = await via.sender.send({
    operation: `POST ${familyPath(family)}`,
    path: familyPath(family),
    body,
    doing: doing('create', family),
    effect: 'write',
    // New for every attempt: an old key would replay the answer of something a person has deleted since. Names keep it from being made twice.
    idempotencyKey: `mlc-${via.io.ids.next()}`,
    answer: record({ id: text }),
  });
  return made.id;
}

async function replace(via: Via, family: Family, id: string, body: Wanted): Promise<void> {
  await via.sender.send({
    operation: `PUT ${familyPath(family)}/{id}`,
    path: `${familyPath(family)}/${encodeURIComponent(id)}`,
    body,
    doing: doing('repair', family),
    effect: 'write',
  });
}
