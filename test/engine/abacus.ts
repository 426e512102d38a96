import { Failure } from '../../lib/failures.ts';
import type { Clock } from '../../lib/ports/clock.ts';

/** An invented ledger: documents with a reference field, written as drafts and posted; and a list of persons it writes in its own way. */
export interface Page {
  readonly ref: string;
  readonly mark: string;
  readonly person: string;
  readonly amount: string;
  readonly text: string;
  readonly account: string;
  readonly status: 'draft' | 'posted' | 'parked';
}

export interface Person {
  readonly key: string;
  readonly name: string;
  readonly phone: string;
  readonly points: string;
  readonly mark: string;
  readonly changedAt: string;
}

type Operation = 'find' | 'draft' | 'park' | 'post' | 'read' | 'people' | 'addPerson' | 'changePerson' | 'findPerson';
/** `lost-before`: it never happened and nobody knows. `lost-after`: it happened and nobody knows. `late`: it happens after so many ms. */
type Fault = 'lost-before' | 'lost-after' | Failure | { readonly lateMs: number };

export class Abacus {
  readonly #clock: Clock;
  readonly #pages = new Map<string, Page & { readonly visibleAtMs: number }>();
  readonly #people = new Map<string, Person>();
  readonly #faults: { readonly operation: Operation; readonly fault: Fault }[] = [];
  readonly calls: string[] = [];
  /** Searches do not see a document younger than this. */
  lagMs = 0;
  /** Texts are cut to this, silently. */
  textLength = 100;
  /** Asked to post, it does nothing and says nothing. */
  lazy = false;
  /** Searches see their result change only when the test says so: called before each operation. */
  onCall: (operation: Operation) => void | Promise<void> = () => {};
  #next = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  fail(operation: Operation, ...faults: readonly Fault[]): void {
    for (const fault of faults) this.#faults.push({ operation, fault });
  }

  get pages(): readonly Page[] {
    return [...this.#pages.values()].map(({ visibleAtMs: _at, ...page }) => page);
  }

  get people(): readonly Person[] {
    return [...this.#people.values()];
  }

  person(key: string): Person | undefined {
    return this.#people.get(key);
  }

  /** A person at the other company edits a record by hand. */
  putPerson(person: Partial<Person> & { readonly key: string }): void {
    const before = this.#people.get(person.key) ?? { name: '', phone: '', points: '0', mark: '' };
    this.#people.set(person.key, { ...before, ...person, changedAt: this.#clock.now().toISOString() });
  }

  removePerson(key: string): void {
    this.#people.delete(key);
  }

  putPage(page: Page): void {
    this.#pages.set(page.ref, { ...page, visibleAtMs: 0 });
  }

  removePage(ref: string): void {
    this.#pages.delete(ref);
  }

  async find(marks: readonly string[]): Promise<readonly Page[]> {
    return this.#call('find', () => {
      const now = this.#clock.now().getTime();
      return [...this.#pages.values()].filter((page) => marks.includes(page.mark) && page.visibleAtMs <= now);
    });
  }

  async draft(page: Omit<Page, 'ref' | 'status'>, ref?: string): Promise<Page> {
    return this.#call('draft', () => {
      const key = ref ?? `P${this.#next++}`;
      if (this.#pages.get(key)?.status === 'posted') {
        throw new Failure('RequestRejected', { cause: 'posted', sentence: `Abacus says ${key} is posted and cannot be written.` });
      }
      const written: Page = { ...page, ref: key, text: page.text.slice(0, this.textLength), status: 'draft' };
      this.#pages.set(key, { ...written, visibleAtMs: this.#clock.now().getTime() + this.lagMs });
      return written;
    });
  }

  async park(ref: string): Promise<void> {
    return this.#call('park', () => this.#change(ref, 'parked'));
  }

  async post(ref: string): Promise<void> {
    return this.#call('post', () => {
      if (this.lazy) return;
      this.#change(ref, 'posted');
    });
  }

  async read(refs: readonly string[]): Promise<readonly Page[]> {
    return this.#call('read', () => refs.flatMap((ref) => this.#pages.get(ref) ?? []));
  }

  async readPeople(keys: readonly string[]): Promise<readonly Person[]> {
    return this.#call('people', () => keys.flatMap((key) => this.#people.get(key) ?? []));
  }

  async listPeople(since: Date | undefined): Promise<readonly Person[]> {
    return this.#call('people', () =>
      this.people.filter(({ changedAt }) => since === undefined || Date.parse(changedAt) >= since.getTime()),
    );
  }

  async findPerson(marks: readonly string[]): Promise<readonly Person[]> {
    return this.#call('findPerson', () => this.people.filter(({ mark }) => mark !== '' && marks.includes(mark)));
  }

  async peopleNamed(name: string): Promise<readonly Person[]> {
    return this.#call('people', () => this.people.filter((person) => person.name.toLowerCase() === name.toLowerCase()));
  }

  async addPerson(person: { name: string; phone: string; points: string; mark: string }): Promise<Person> {
    return this.#call('addPerson', () => {
      const made: Person = { ...person, ...written(person), key: `A${this.#next++}`, changedAt: this.#clock.now().toISOString() };
      this.#people.set(made.key, made);
      return made;
    });
  }

  async changePerson(key: string, changes: Partial<Pick<Person, 'name' | 'phone' | 'points'>>): Promise<Person> {
    return this.#call('changePerson', () => {
      const before = this.#people.get(key);
      if (!before) throw new Failure('RecordGone', { sentence: `Abacus has no person ${key}.` });
      const changed: Person = { ...before, ...written({ ...before, ...changes }), changedAt: this.#clock.now().toISOString() };
      this.#people.set(key, changed);
      return changed;
    });
  }

  #change(ref: string, status: Page['status']): void {
    const page = this.#pages.get(ref);
    if (!page) throw new Failure('RequestRejected', { cause: 'no-page', sentence: `Abacus has no page ${ref}.` });
    if (page.status === 'posted' && status === 'posted') {
      throw new Failure('RequestRejected', { cause: 'already-posted', sentence: `Abacus says ${ref} is posted already.` });
    }
    this.#pages.set(ref, { ...page, status });
  }

  async #call<Result>(operation: Operation, work: () => Result): Promise<Result> {
    this.calls.push(operation);
    await this.onCall(operation);
    const index = this.#faults.findIndex((fault) => fault.operation === operation);
    const fault = index === -1 ? undefined : this.#faults.splice(index, 1)[0]?.fault;
    if (fault instanceof Failure) throw fault;
    if (fault === undefined) return structuredClone(work());
    const lost = new Failure('WriteUncertain', { sentence: `Abacus did not answer ${operation}.` });
    if (fault === 'lost-after') work();
    if (typeof fault === 'object') {
      void this.#clock
        .sleep(fault.lateMs)
        .then(work)
        .catch(() => {});
    }
    throw lost;
  }
}

/** The way Abacus writes: names without blanks around them, phones without blanks at all. */
function written(person: {
  readonly name: string;
  readonly phone: string;
  readonly points: string;
}): Pick<Person, 'name' | 'phone' | 'points'> {
  return { name: person.name.trim(), phone: person.phone.replaceAll(' ', ''), points: person.points };
}
