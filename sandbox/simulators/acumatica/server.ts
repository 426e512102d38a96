import type { SimulatedWorld } from '../kit.ts';
import type { RequestContext } from './assign.ts';
import { Company } from './company.ts';
import { type Entity, findTopLevel, formOfForeignEntity, majorOf } from './contract.ts';
import { documentKey, documentType } from './document-types.ts';
import { answerAuthorize, answerLogin, answerToken, loginLimit, unauthorized } from './identity.ts';
import { inquire } from './inquiries.ts';
import { Operations, outcomeOf, runAction } from './operations.ts';
import type { AcumaticaOptions } from './options.ts';
import { presented } from './presentation.ts';
import { parseQuery, type Query, refuseUnoptimizable } from './query.ts';
import { type RecordsOfEntity, recordsOf } from './records-of-entity.ts';
import { badRequest, businessError, httpError, lockViolation, noEntity, notFound, preconditionFailed, Refusal } from './refusals.ts';
import { type Row, text } from './rows.ts';
import { LoginLimitReached, type Session, Sessions } from './sessions.ts';
import { isObject, readJson, readRecord } from './wire-read.ts';
import { type Place, writeRecord } from './wire-write.ts';

/** A request as plain data, so that one can be held back and run later. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly search: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Request {
  readonly call: Call;
  readonly session: Session;
  readonly place: Place;
  readonly context: RequestContext;
  readonly params: URLSearchParams;
}

/** A record that another process is said to be changing: the next writes to it fail. */
export interface RecordLock {
  type: string;
  reference: string;
  times: number;
}

/** The whole web application of one instance. Everything is synchronous: a request is handled in one piece. */
export class AcumaticaServer {
  readonly company: Company;
  readonly sessions: Sessions;
  readonly operations: Operations;
  locks: RecordLock[] = [];

  constructor(world: SimulatedWorld, options: AcumaticaOptions) {
    this.company = new Company(world, options);
    this.sessions = new Sessions(world, () => this.company.state.licence);
    this.operations = new Operations(this.company);
  }

  /** Path prefix of the instance: `/kestrel`, or nothing. */
  get root(): string {
    const { instance } = this.company.installation;
    return instance === '' ? '' : `/${instance}`;
  }

  settle(): void {
    this.operations.settle(this.company.now());
  }

  /** Whose request it is; undefined when it would be refused. */
  sessionOf(call: Call): Session | undefined {
    try {
      return this.#authenticate(call);
    } catch (error) {
      if (error instanceof Refusal) return undefined;
      throw error;
    }
  }

  /** Answers a request; `as` skips the sign-in for a request that was accepted earlier. */
  answer(call: Call, as?: Session): Reply {
    try {
      return this.#route(call, as);
    } catch (error) {
      if (error instanceof Refusal) return { status: error.status, body: error.body };
      throw error;
    }
  }

  #route(call: Call, as: Session | undefined): Reply {
    const rest = this.#withinInstance(call.path);
    const params = new URLSearchParams(call.search);
    const identity = {
      sessions: this.sessions,
      tenant: this.company.installation.tenant,
      loginLimitStatus: this.company.state.licence.loginLimitStatus,
    };
    switch (`${call.method} ${rest.toLowerCase()}`) {
      case 'POST /identity/connect/token':
        return answerToken(identity, call.body, call.headers['content-type'] ?? '');
      case 'GET /identity/connect/authorize':
        return answerAuthorize(identity, params);
      case 'GET /identity/.well-known/openid-configuration':
        return { status: 200, body: this.#openIdConfiguration(call) };
      case 'GET /entity':
        return { status: 200, body: this.#discovery() };
      case 'POST /entity/auth/login':
        return answerLogin(identity, readJson(call.body));
      case 'POST /entity/auth/logout':
        return this.#logout(call);
    }
    const session = as ?? this.#authenticate(call);
    const [, first, name, version, ...segments] = rest.split('/').map((segment) => decodeURIComponent(segment));
    if (first?.toLowerCase() !== 'entity' || name?.toLowerCase() !== 'default' || version === undefined) throw notFound(call.path);
    if (!this.company.installation.endpointVersions.includes(version)) throw notFound(call.path);
    const place: Place = { endpoint: `${this.root}/entity/Default/${version}`, version: majorOf(version) };
    const reply = this.#entityRoute(segments, { call, session, place, params, context: this.#contextOf(call) });
    if (!this.sessions.isTold(session)) return reply;
    return { ...reply, headers: { 'set-cookie': `.ASPXAUTH=${session.id}; path=/; HttpOnly`, ...reply.headers } };
  }

  #withinInstance(path: string): string {
    const prefix = `${this.root}/`;
    if (!path.toLowerCase().startsWith(prefix.toLowerCase())) throw notFound(path);
    return path.slice(this.root.length).replace(/\/+$/, '');
  }

  #authenticate(call: Call): Session {
    const bearer = /^Bearer (.+)$/i.exec(call.headers['authorization'] ?? '')?.[1];
    const cookieId = /(?:^|;\s*)\.ASPXAUTH=([^;]+)/.exec(call.headers['cookie'] ?? '')?.[1];
    try {
      const session = bearer ? this.sessions.bearer(bearer, cookieId) : cookieId ? this.sessions.cookie(cookieId) : undefined;
      if (!session) throw unauthorized();
      return session;
    } catch (error) {
      if (error instanceof LoginLimitReached) throw loginLimit(this.company.state.licence.loginLimitStatus);
      throw error;
    }
  }

  #logout(call: Call): Reply {
    if (call.headers['content-length'] === undefined) return { status: 411, body: { message: 'Length Required' } };
    this.sessions.end(this.#authenticate(call));
    return { status: 204 };
  }

  #openIdConfiguration(call: Call): unknown {
    const base = `http://${call.headers['host'] ?? 'localhost'}${this.root}/identity`;
    return {
      issuer: base,
      authorization_endpoint: `${base}/connect/authorize`,
      token_endpoint: `${base}/connect/token`,
      grant_types_supported: ['authorization_code', 'password', 'refresh_token', 'implicit'],
      scopes_supported: ['openid', 'profile', 'email', 'api', 'offline_access', 'api:concurrent_access'],
    };
  }

  #discovery(): unknown {
    const { build, endpointVersions } = this.company.installation;
    const endpoints = endpointVersions.map((version) => ({ name: 'Default', version, href: `${this.root}/entity/Default/${version}/` }));
    if (this.company.preferences.discovery === 'array') return endpoints;
    return { version: { acumaticaBuildVersion: build, databaseVersion: build }, endpoints };
  }

  /** Branch (by name) and business date may be chosen per request. */
  #contextOf(call: Call): RequestContext {
    const branchName = call.headers['px-cbapibranch'];
    const branch = branchName === undefined ? undefined : this.company.state.branches.find((other) => other.name === branchName);
    if (branchName !== undefined && !branch) throw businessError(`The ${branchName} branch cannot be found in the system.`);
    const written = call.headers['px-cbapibusinessdate'];
    return {
      branch: branch?.id ?? this.company.defaultBranch(),
      businessDate: written === undefined ? this.company.today() : anyDate(written),
    };
  }

  #entityRoute(segments: readonly string[], request: Request): Reply {
    const [name = '', ...rest] = segments;
    const entity = findTopLevel(name);
    if (!entity) {
      const form = formOfForeignEntity(name);
      if (form) throw forbidden(form);
      throw notFound(request.call.path);
    }
    if (this.company.preferences.forbidden.includes(entity.name)) throw forbidden(entity.form);
    if (entity.name === 'Subaccount' && !this.company.preferences.subaccounts) throw forbidden(entity.form);
    const { method } = request.call;
    if (method === 'GET' && rest[1] === 'status' && rest[2] !== undefined) return this.#status(rest[2], request);
    this.operations.refuseWhileRunning(request.session.id, entity.form);
    if (method === 'POST') return this.#action(entity, rest, request);
    if (method === 'PUT' || method === 'PATCH') return this.#put(entity, rest, request);
    const records = recordsOf(this.company, entity);
    if (method === 'GET') return rest.length === 0 ? this.#list(entity, records, request) : this.#read(entity, records, rest, request);
    if (method === 'DELETE') return this.#delete(entity, records, rest);
    return { status: 405, body: { message: `The requested resource does not support http method '${method}'.` } };
  }

  #list(entity: Entity, records: RecordsOfEntity, request: Request): Reply {
    const query = parseQuery(request.params, entity, request.place.version);
    refuseUnoptimizable(entity, query);
    const found = records.list(query);
    const page = found.slice(query.skip, query.top === undefined ? undefined : query.skip + query.top);
    const at = { list: true, businessDate: request.context.businessDate };
    return {
      status: 200,
      body: page.map((row, index) => writeRecord(entity, presented(this.company, entity, row, at), query, request.place, index + 1)),
    };
  }

  #read(entity: Entity, records: RecordsOfEntity, keys: readonly string[], request: Request): Reply {
    const query = parseQuery(request.params, entity, request.place.version);
    if (keys[0] === '$adHocSchema')
      return { status: 200, body: this.#write(entity, { id: this.company.newId(), fields: {} }, query, request) };
    const row = rowAt(records, keys);
    if (!row) throw noEntity();
    return { status: 200, body: this.#write(entity, row, query, request) };
  }

  #put(entity: Entity, rest: readonly string[], request: Request): Reply {
    const { call } = request;
    if (rest.length > 0) throw notFound(call.path);
    const patch = call.method === 'PATCH';
    if (patch && request.place.version < 25)
      return { status: 405, body: { message: "The requested resource does not support http method 'PATCH'." } };
    const query = parseQuery(request.params, entity, request.place.version);
    const input = readRecord(entity, readJson(call.body), request.place.version);
    const answer = inquire(this.company, entity.name, input);
    if (answer) return { status: 200, body: this.#write(entity, answer, query, request) };
    const records = recordsOf(this.company, entity);
    if (!records.save) throw forbidden(entity.form);
    const conditional = call.headers['if-match'] === '*';
    const existing = this.#located(records, input.id, { query, conditional }) ?? records.named(input);
    if (patch && !existing) throw call.headers['if-none-match'] === '*' ? preconditionFailed() : notFound(call.path);
    if (call.headers['if-none-match'] === '*' && existing) throw preconditionFailed();
    if (conditional && !existing) throw preconditionFailed();
    if (existing) this.#refuseLocked(entity, existing);
    try {
      return { status: 200, body: this.#write(entity, records.save(existing, input, request.context), query, request) };
    } catch (error) {
      return outcomeOf(error, entity);
    }
  }

  /** The record an `id` in the body or a `$filter` in the query names. */
  #located(
    records: RecordsOfEntity,
    id: string | undefined,
    { query, conditional }: { readonly query: Query; readonly conditional: boolean },
  ): Row | undefined {
    if (id !== undefined) {
      const row = records.byId(id);
      if (!row) throw conditional ? preconditionFailed() : noEntity();
      return row;
    }
    if (!query.filter) return undefined;
    const found = records.list(query);
    if (found.length > 1) throw businessError('More than one entity satisfies the condition.');
    return found[0];
  }

  #delete(entity: Entity, records: RecordsOfEntity, keys: readonly string[]): Reply {
    if (!records.remove) throw forbidden(entity.form);
    const row = rowAt(records, keys);
    if (!row) throw noEntity();
    this.#refuseLocked(entity, row);
    records.remove(row);
    return { status: 204 };
  }

  #action(entity: Entity, rest: readonly string[], request: Request): Reply {
    const [name, ...more] = rest;
    if (name === undefined) return { status: 406, body: { message: 'Not Acceptable' } };
    const internal = entity.actions[name] ?? Object.values(entity.actions).find((other) => other === name);
    if (!internal || more.length > 0) throw notFound(request.call.path);
    const body = readJson(request.call.body);
    if (!isObject(body) || !isObject(body['entity'])) throw badRequest('The entity member is required.', 'entity');
    const input = readRecord(entity, body['entity'], request.place.version, 'entity');
    const records = recordsOf(this.company, entity);
    const row = input.id !== undefined ? records.byId(input.id) : records.named(input);
    if (!row) throw noEntity();
    this.#refuseLocked(entity, row);
    return this.#start(entity, { name, internal, documentId: row.id }, request);
  }

  #start(
    entity: Entity,
    action: { readonly name: string; readonly internal: string; readonly documentId: string },
    request: Request,
  ): Reply {
    const { actionAnswer, actionMs } = this.company.preferences;
    const what = { action: action.internal, documentId: action.documentId, businessDate: request.context.businessDate };
    const statusAt = (id: string) => `${request.place.endpoint}/${entity.name}/${action.name}/status/${id}`;
    if (actionAnswer === 'nothing-started') return { status: 204 };
    if (actionAnswer === 'accepted') {
      const operation = this.operations.start({ ...what, sessionId: request.session.id, form: entity.form, entity: entity.name }, actionMs);
      if (actionMs === 0) this.settle();
      return { status: 202, headers: { location: statusAt(operation.id) } };
    }
    try {
      runAction(this.company, entity, what);
    } catch (error) {
      return outcomeOf(error, entity);
    }
    // Nothing stands behind this address.
    return {
      status: 204,
      ...(actionAnswer === 'done-with-bogus-location' ? { headers: { location: statusAt(this.company.newId()) } } : {}),
    };
  }

  #status(id: string, request: Request): Reply {
    const operation = this.operations.find(id.toLowerCase(), request.session.id);
    if (!operation) throw notFound(request.call.path);
    if (!operation.outcome) return { status: 202, headers: { location: request.call.path } };
    const { status, body } = operation.outcome;
    return status === 204 ? { status } : { status, body };
  }

  #write(entity: Entity, row: Row, query: Query, request: Request): unknown {
    const shown = presented(this.company, entity, row, { list: false, businessDate: request.context.businessDate });
    return writeRecord(entity, shown, query, request.place);
  }

  #refuseLocked(entity: Entity, row: Row): void {
    const type = text(row, 'Type') || entity.name;
    const reference = text(row, 'ReferenceNbr') || text(row, 'CustomerID') || text(row, 'BatchNbr');
    const lock = this.locks.find(
      (other) => documentKey(documentType(other.type) ?? other.type, other.reference) === documentKey(type, reference),
    );
    if (!lock) return;
    lock.times -= 1;
    if (lock.times <= 0) this.locks = this.locks.filter((other) => other !== lock);
    throw lockViolation(entity.name === 'Customer' ? 'Customer' : entity.name === 'JournalTransaction' ? 'Batch' : 'ARRegister');
  }
}

const isGuid = (written: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(written);

/** By id, or by the key fields in form order, separated by `/` or `|`. */
function rowAt(records: RecordsOfEntity, segments: readonly string[]): Row | undefined {
  const [first = ''] = segments;
  if (segments.length === 1 && isGuid(first)) return records.byId(first);
  return records.byKeys(segments.flatMap((segment) => segment.split('|')));
}

function forbidden(form: string): Refusal {
  return httpError(403, 'PX.Data.PXNotEnoughRightsException', `You have insufficient rights to access the object (${form}).`);
}

/** `2026/01/31` and whatever else a date can look like. */
function anyDate(written: string): string {
  const plain = /^(\d{4})[/-](\d{1,2})[/-](\d{1,2})/.exec(written);
  if (plain) return `${plain[1]}-${(plain[2] ?? '').padStart(2, '0')}-${(plain[3] ?? '').padStart(2, '0')}`;
  const instant = Date.parse(`${written} UTC`);
  if (Number.isNaN(instant)) throw badRequest(`The business date '${written}' is not a date.`, 'PX-CbApiBusinessDate');
  return new Date(instant).toISOString().slice(0, 10);
}
