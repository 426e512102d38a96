import { Failure } from '../../failures.ts';
import type { Secret } from '../../values/secret.ts';
import { type CalloutEvent, calloutEvents } from './callout-events.ts';
import type { ZuoraConnection } from './settings.ts';

/* How our callouts should look in Zuora. Source: https://developer.zuora.com/v1-api-reference/api/operation/CreateCalloutTemplate/ (read 2026-01-20) */

export interface RegistrationAsk {
  /** Key of the integration: part of every name. */
  readonly integration: string;
  /** Public https address that takes this connection's callouts. */
  readonly url: string;
  /** Names of `calloutEvents`; default: all. */
  readonly events?: readonly string[];
  /** Also writes what cannot be compared, because Zuora does not show it: a new HMAC secret or password. */
  readonly rewriteSecrets?: boolean;
}

export type Wanted = Readonly<Record<string, unknown>>;

export const registeredName = (ask: RegistrationAsk, event: CalloutEvent): string => `mlc ${ask.integration} ${event.name}`;

export const chosenEvents = (ask: RegistrationAsk): readonly CalloutEvent[] =>
  calloutEvents.filter((event) => ask.events?.includes(event.name) ?? true);

/** The template as it should be: ids only in the body, because an odd character in a merged name makes Zuora drop the callout for good. */
export function templateFor(
  connection: ZuoraConnection,
  ask: RegistrationAsk,
  event: CalloutEvent,
  secrets: Readonly<Record<string, Secret>>,
): Wanted {
  const { callouts } = connection.settings;
  const id = event.idField === undefined ? {} : { objectId: `{{${event.idField}}}` };
  const proof =
    callouts.mode === 'hmac'
      ? {
          hmacAlgorithm: callouts.algorithm,
          hmacOutputFormat: callouts.encoding,
          hmacSecret: required(secrets, 'hmacSecret', connection).reveal(),
          hmacData: '{{Request.Body}}',
          hmacKey: callouts.header,
          hmacValue: `${callouts.valuePrefix}{{Request.HMAC.Signed}}`,
        }
      : callouts.mode === 'basic'
        ? {
            requiredAuth: true,
            calloutAuth: {
              username: required(secrets, 'basicUser', connection).reveal(),
              password: required(secrets, 'basicPassword', connection).reveal(),
              preemptive: true,
            },
          }
        : {};
  const token = callouts.mode === 'unsigned' ? `?token=${encodeURIComponent(required(secrets, 'pathToken', connection).reveal())}` : '';
  return {
    name: registeredName(ask, event),
    description: 'Made by ml-connector. Changes are undone at the next registration.',
    ...(event.trigger ? { eventTypeName: event.name, eventTypeNamespace: 'user.notification' } : { eventCategory: event.category }),
    active: true,
    calloutBaseurl: `${ask.url.replace(/\/+$/, '')}${token}`,
    httpMethod: 'POST',
    calloutRetry: true,
    useCustomRequestBody: true,
    customRequestBody: JSON.stringify({ event: event.name, ...id }),
    ...proof,
  };
}

/** What a person does in Zuora's user interface when the API user may not. Names the secret, never prints it. */
export function instructions(connection: ZuoraConnection, ask: RegistrationAsk): readonly string[] {
  const { callouts } = connection.settings;
  const proof = {
    hmac: `HMAC ${callouts.algorithm}, ${callouts.encoding}, data {{Request.Body}}, header ${callouts.header}, value ${callouts.valuePrefix}{{Request.HMAC.Signed}}, secret: field hmacSecret of the connection's secret`,
    basic: "basic authentication, preemptive, user and password: fields basicUser and basicPassword of the connection's secret",
    unsigned: "no authentication; append ?token= and the field pathToken of the connection's secret to the address",
  }[callouts.mode];
  return [
    'In Zuora: Extension Studio, Events & Notifications. For each event below make a callout template and a notification definition, attached to every communication profile.',
    `Address ${ask.url}, method POST, retry on; ${proof}.`,
    ...chosenEvents(ask).map((event) => {
      const body = JSON.stringify({ event: event.name, ...(event.idField === undefined ? {} : { objectId: `{{${event.idField}}}` }) });
      const source = event.trigger
        ? `custom event ${event.name} on ${event.trigger.baseObject} when ${event.trigger.condition}`
        : `standard event ${event.category}`;
      return `“${registeredName(ask, event)}”: ${source}; body ${body}`;
    }),
  ];
}

function required(secrets: Readonly<Record<string, Secret>>, field: string, connection: ZuoraConnection): Secret {
  const secret = secrets[field];
  if (secret) return secret;
  throw new Failure('ConfigurationInvalid', {
    cause: `credentials:${connection.name}`,
    sentence: `The secret of Zuora connection “${connection.name}” has no ${field}, which callouts.mode ${connection.settings.callouts.mode} needs.`,
    fix: `Add ${field} to the secret (32 or more random characters), then register again.`,
  });
}
