import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import type { HttpReply, WebhookRequest } from '../../lib/contracts/vendor.ts';
import { logger } from '../compose.ts';
import { observed } from './observed.ts';

/**
 * An HTTP API route as a function of the raw request. Whatever goes wrong outside the handler's own answers becomes 503: "send it again", never a
 * code that a vendor takes for "stop sending".
 */
export function httpEntry(
  answer: (request: WebhookRequest, parameters: Readonly<Record<string, string>>, event: APIGatewayProxyEventV2) => Promise<HttpReply>,
) {
  return middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Error, Context>()
    .use(observed(logger))
    .onError((request) => {
      request.response ??= { statusCode: 503, headers: { 'content-type': 'application/json' }, body: '{"success":false}' };
    })
    .handler(async (event) => {
      const reply = await answer(requestOf(event), parametersOf(event), event);
      return { statusCode: reply.status, headers: { ...reply.headers }, body: reply.body ?? '' };
    });
}

/** The request with the bytes exactly as the vendor sent them: signatures are made over bytes. */
function requestOf(event: APIGatewayProxyEventV2): WebhookRequest {
  return {
    method: event.requestContext.http.method,
    path: event.rawPath,
    query: definedTexts(event.queryStringParameters),
    headers: Object.fromEntries(Object.entries(definedTexts(event.headers)).map(([name, value]) => [name.toLowerCase(), value])),
    body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
  };
}

function parametersOf(event: APIGatewayProxyEventV2): Record<string, string> {
  return definedTexts(event.pathParameters);
}

function definedTexts(texts: Readonly<Record<string, string | undefined>> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(texts ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
}
