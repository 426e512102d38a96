import type { Clock } from '../../lib/ports/clock.ts';

/** An invented writer of notes: documents with a state, and the persons they are for. */
export interface Note {
  readonly id: string;
  readonly number: string;
  readonly person: string;
  readonly amount: string;
  readonly text: string;
  readonly code: string;
  readonly status: 'open' | 'posted' | 'void';
  readonly changedAt: string;
}

export interface Contact {
  readonly id: string;
  readonly name: string;
  readonly phone: string;
  readonly points: string;
  /** The person this one belongs to. */
  readonly parent?: string;
  readonly changedAt: string;
}

export class Quill {
  readonly #clock: Clock;
  readonly #notes = new Map<string, Note>();
  readonly #contacts = new Map<string, Contact>();
  readonly calls: string[] = [];
  pageSize = 3;
  /** Thrown by the next call of an operation. */
  readonly failures: { readonly operation: string; readonly error: Error }[] = [];
  onCall: (operation: string) => void | Promise<void> = () => {};
  #next = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(note: Partial<Note> & { readonly id: string }): void {
    const before = this.#notes.get(note.id) ?? {
      number: `N-${note.id}`,
      person: 'c1',
      amount: '10.00',
      text: 'for services',
      code: 'FEE',
      status: 'posted' as const,
    };
    this.#notes.set(note.id, { ...before, ...pick(note, this.#clock) });
  }

  removeNote(id: string): void {
    this.#notes.delete(id);
  }

  contact(contact: Partial<Contact> & { readonly id: string }): void {
    const before = this.#contacts.get(contact.id) ?? { name: `Person ${contact.id}`, phone: '1 2 3', points: '0' };
    this.#contacts.set(contact.id, { ...before, ...pick(contact, this.#clock) });
  }

  removeContact(id: string): void {
    this.#contacts.delete(id);
  }

  get contacts(): readonly Contact[] {
    return [...this.#contacts.values()];
  }

  async listNotes(since: Date | undefined, after: number): Promise<readonly Note[]> {
    return this.#call('listNotes', () => this.#changed([...this.#notes.values()], since).slice(after, after + this.pageSize));
  }

  async readNotes(ids: readonly string[]): Promise<readonly Note[]> {
    return this.#call('readNotes', () => ids.flatMap((id) => this.#notes.get(id) ?? []));
  }

  async listContacts(since: Date | undefined): Promise<readonly Contact[]> {
    return this.#call('listContacts', () => this.#changed(this.contacts, since));
  }

  async readContacts(ids: readonly string[]): Promise<readonly Contact[]> {
    return this.#call('readContacts', () => ids.flatMap((id) => this.#contacts.get(id) ?? []));
  }

  async addContact(contact: { name: string; phone: string; points: string }): Promise<Contact> {
    return this.#call('addContact', () => {
      const id = `q${this.#next++}`;
      this.contact({ ...contact, id });
      return this.#contacts.get(id) as Contact;
    });
  }

  async contactsNamed(name: string): Promise<readonly Contact[]> {
    return this.#call('readContacts', () => this.contacts.filter((contact) => contact.name.toLowerCase() === name.toLowerCase()));
  }

  async changeContact(id: string, changes: Partial<Contact>): Promise<Contact> {
    return this.#call('changeContact', () => {
      this.contact({ ...changes, id });
      return this.#contacts.get(id) as Contact;
    });
  }

  #changed<Row extends { readonly changedAt: string }>(rows: readonly Row[], since: Date | undefined): readonly Row[] {
    return rows
      .filter(({ changedAt }) => since === undefined || Date.parse(changedAt) >= since.getTime())
      .sort((left, right) => (left.changedAt < right.changedAt ? -1 : left.changedAt > right.changedAt ? 1 : 0));
  }

  async #call<Result>(operation: string, work: () => Result): Promise<Result> {
    this.calls.push(operation);
    await this.onCall(operation);
    const index = this.failures.findIndex((failure) => failure.operation === operation);
    if (index !== -1) throw this.failures.splice(index, 1)[0]?.error;
    return structuredClone(work());
  }
}

function pick<Row extends { readonly changedAt?: string }>(row: Row, clock: Clock): Row & { readonly changedAt: string } {
  return { ...row, changedAt: row.changedAt ?? clock.now().toISOString() };
}
