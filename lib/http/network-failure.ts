import { Failure } from '../failures.ts';

/** Why a request has no answer. `before`: nothing can have reached the vendor. `after`: it may have. */
export interface NoAnswer {
  readonly when: 'before' | 'after';
  /** For people and the log: `ECONNREFUSED`, `timeout`. */
  readonly code: string;
}

/** Codes that Node and undici give only while no connection, or no trusted one, exists yet. */
const beforeSending = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_SSL_WRONG_VERSION_NUMBER',
]);

/** Calls of the operating system that come before the first byte. */
const connectCalls = new Set(['connect', 'getaddrinfo']);

/** Longest chain of causes that is looked through. */
const deepest = 5;

/**
 * Judges what `fetch` threw. Only what is known to come before the first byte counts as `before`; everything else, also what we have never
 * seen, may have reached the vendor.
 */
export function noAnswer(thrown: unknown): NoAnswer {
  let code: string | undefined;
  let error: unknown = thrown;
  for (let depth = 0; depth < deepest && error instanceof Error; depth += 1) {
    const found = textMember(error, 'code');
    if (found !== undefined) {
      code ??= found;
      const call = textMember(error, 'syscall');
      if (beforeSending.has(found) || (call !== undefined && connectCalls.has(call))) return { when: 'before', code: found };
    }
    if (error instanceof AggregateError && error.errors.length > 0) {
      // Happy eyeballs: one error per address. All of them failed to connect, or the whole would not have failed.
      const each = error.errors.map(noAnswer);
      if (each.every((one) => one.when === 'before')) return each[0] ?? { when: 'after', code: 'unknown' };
    }
    error = error.cause;
  }
  return { when: 'after', code: code ?? 'connection lost' };
}

function textMember(error: Error, name: string): string | undefined {
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : undefined;
}

/** The failure a caller gets for a request without an answer. */
export function failureWithoutAnswer(
  missing: NoAnswer,
  request: { readonly operation: string; readonly effect: 'read' | 'write'; readonly connection: string; readonly host: string },
  error: unknown,
): Failure {
  const { connection, host, operation } = request;
  if (missing.when === 'before') {
    return new Failure('Unreachable', {
      cause: `unreachable:${connection}`,
      sentence: `No connection to ${host} for ${operation} (${missing.code}). Nothing was sent; it is tried again.`,
      fix: `If it lasts: check the address of connection ${connection}, its certificate, and that the firewall there lets ml-connector through.`,
      code: missing.code,
      error,
    });
  }
  if (request.effect === 'write') {
    return new Failure('WriteUncertain', {
      cause: `no-answer:${connection}`,
      sentence: `${host} gave no complete answer to ${operation} (${missing.code}). It may or may not have been done; ml-connector looks before it writes again.`,
      code: missing.code,
      error,
    });
  }
  return new Failure('VendorUnavailable', {
    cause: `no-answer:${connection}`,
    sentence: `${host} gave no complete answer to ${operation} (${missing.code}). It is asked again later.`,
    code: missing.code,
    error,
  });
}
