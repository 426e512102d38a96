import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Authorize, allowEverything, denialText, localPlace, type Place } from './access.ts';
import { type CloudClock, machineClock } from './clock.ts';
import { accessKeyIdOf, listenOnLoopback, readBody } from './loopback.ts';

export interface SnsOptions {
  readonly port?: number;
  readonly clock?: CloudClock;
  readonly authorize?: Authorize;
  readonly place?: Place;
  /** Topics that exist, with the ARN of the customer's key they are encrypted under. */
  readonly topics: readonly { readonly name: string; readonly key?: string }[];
}

interface PublishedMessage {
  readonly id: string;
  readonly topicArn: string;
  readonly subject?: string;
  readonly message: string;
  readonly at: string;
}

export interface LocalSns {
  readonly url: string;
  /** What was published since the start, oldest first. Nobody is notified. */
  published(): readonly PublishedMessage[];
  close(): Promise<void>;
}

const mostBytes = 256 * 1024;

/** SNS as far as a function that raises an alert needs it: Publish, in the query protocol. Messages are kept for a person to look at. */
export async function startSns(options: SnsOptions): Promise<LocalSns> {
  const place = options.place ?? localPlace;
  const clock = options.clock ?? machineClock;
  const authorize = options.authorize ?? allowEverything;
  const published: PublishedMessage[] = [];
  const keys = new Map(options.topics.map(({ name, key }) => [`arn:aws:sns:${place.region}:${place.accountId}:${name}`, key]));

  function publish(form: URLSearchParams, accessKeyId: string): PublishedMessage {
    const action = form.get('Action');
    if (action !== 'Publish') throw new SnsError('InvalidAction', `${action} is not part of the local SNS`);
    const topicArn = form.get('TopicArn') ?? form.get('TargetArn') ?? '';
    const key = keys.get(topicArn);
    const keyActions = key === undefined ? [] : ['kms:GenerateDataKey', 'kms:Decrypt'];
    for (const access of [
      { accessKeyId, action: 'sns:Publish', resource: topicArn },
      ...keyActions.map((needed) => ({ accessKeyId, action: needed, resource: key ?? '' })),
    ]) {
      const denial = authorize(access);
      if (denial) throw new SnsError('AuthorizationError', denialText(access, denial), 403);
    }
    if (!keys.has(topicArn)) throw new SnsError('NotFound', 'Topic does not exist', 404);
    const message = form.get('Message') ?? '';
    if (message === '') throw new SnsError('InvalidParameter', 'Invalid parameter: Empty message');
    if (Buffer.byteLength(message) > mostBytes) throw new SnsError('InvalidParameter', 'Invalid parameter: Message too long');
    const subject = form.get('Subject');
    if (subject !== null && (subject.length > 100 || /[^\u0020-\u007e]/.test(subject))) {
      throw new SnsError('InvalidParameter', 'Invalid parameter: Subject');
    }
    return { id: randomUUID(), topicArn, message, at: clock.now().toISOString(), ...(subject === null ? {} : { subject }) };
  }

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await readBody(incoming, 1024 * 1024);
    const requestId = randomUUID();
    const end = (status: number, xml: string): void => {
      outgoing.writeHead(status, { 'content-type': 'text/xml' });
      outgoing.end(xml);
    };
    try {
      const accessKeyId = accessKeyIdOf(incoming.headers.authorization);
      if (accessKeyId === undefined) throw new SnsError('MissingAuthenticationToken', 'Request is missing Authentication Token', 403);
      const message = publish(new URLSearchParams(body?.toString('utf8')), accessKeyId);
      published.push(message);
      end(
        200,
        `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>${message.id}</MessageId></PublishResult><ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></PublishResponse>`,
      );
    } catch (error) {
      if (!(error instanceof SnsError)) throw error;
      end(
        error.status,
        `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${error.code}</Code><Message>${escaped(error.message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
      );
    }
  }

  const server = await listenOnLoopback(options.port ?? 0, serve);
  return { url: server.url, published: () => [...published], close: () => server.close() };
}

class SnsError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
