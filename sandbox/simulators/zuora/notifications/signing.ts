import { createHmac } from 'node:crypto';
import { merge } from './merge-fields.ts';
import type { CalloutTemplate } from './rows.ts';

const algorithms: Readonly<Record<string, string>> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-224': 'sha224',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

/** The bytes to send, or undefined when merging broke a custom JSON body. */
export function requestBody(template: CalloutTemplate, context: Readonly<Record<string, string>>): string | undefined {
  if (!template.useCustomRequestBody || template.customRequestBody === null) {
    const params = Object.entries(template.calloutParams ?? {}).map(([name, value]) => [name, merge(value, context)]);
    return JSON.stringify(Object.fromEntries(params));
  }
  const body = merge(template.customRequestBody, context);
  try {
    JSON.parse(body);
    return body;
  } catch {
    return undefined;
  }
}

export function sign(algorithm: string, secret: string, data: string, format: 'BASE64' | 'HEX'): string {
  return createHmac(algorithms[algorithm] ?? 'sha256', secret)
    .update(data, 'utf8')
    .digest(format === 'HEX' ? 'hex' : 'base64');
}

export function signature(
  template: CalloutTemplate,
  context: Readonly<Record<string, string>>,
  body: string,
): { name: string; value: string } | undefined {
  const { hmacAlgorithm, hmacOutputFormat, hmacSecret, hmacData, hmacKey, hmacValue } = template;
  if (hmacAlgorithm === null || hmacSecret === null || hmacKey === null) return undefined;
  const ownHeaders = Object.entries(template.calloutHeaders ?? {}).map(([name, value]) => [
    `Request.Headers.${name}`,
    merge(value, context),
  ]);
  const fields = { ...context, ...Object.fromEntries(ownHeaders), 'Request.Body': body };
  const signed = sign(hmacAlgorithm, hmacSecret, merge(hmacData ?? '{{Request.Body}}', fields), hmacOutputFormat ?? 'BASE64');
  return { name: hmacKey, value: merge(hmacValue ?? '{{Request.HMAC.Signed}}', { ...fields, 'Request.HMAC.Signed': signed }) };
}
