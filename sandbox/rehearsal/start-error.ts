/** Something the person who starts the rehearsal can act on: printed as it is, without a stack. */
export class StartError extends Error {
  readonly fix: string;

  constructor(sentence: string, fix: string) {
    super(sentence);
    this.fix = fix;
  }
}
