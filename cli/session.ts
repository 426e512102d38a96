import { ask, CliError, findTarget } from './connection.ts';
import { harmless } from './tables.ts';
import type { Terminal } from './terminal.ts';

export interface GlobalOptions {
  readonly url?: string;
  readonly state?: string;
  readonly json?: boolean;
  readonly integration?: string;
}

/** One command being carried out: whom it asks, and how it talks to the person. */
export interface Session {
  /** Asks an operation; nothing is printed. */
  ask(operation: string, input: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Asks and prints: the answer as it is, or what `show` makes of it for people. */
  run(operation: string, input: Readonly<Record<string, unknown>>, show: (answer: unknown) => string): Promise<void>;
  /** Prints an answer that was asked for before. */
  print(answer: unknown, show: (answer: unknown) => string): void;
  /** Says what is about to happen and goes on only with a yes. Without a person there `--yes` has to have been said. */
  confirm(about: { readonly what: string; readonly yes: boolean | undefined }): Promise<void>;
  /** Where the deployment is reached. */
  readonly origin: string;
}

export function openSession(terminal: Terminal, options: GlobalOptions): Session {
  const target = findTarget(options, terminal.env);
  const asked = (operation: string, input: Readonly<Record<string, unknown>>): Promise<unknown> => {
    const given = Object.entries({ integration: options.integration, ...input }).filter(([, value]) => value !== undefined);
    return ask(target, operation, Object.fromEntries(given), { user: terminal.user });
  };
  const print = (answer: unknown, show: (answer: unknown) => string): void =>
    terminal.out(options.json ? JSON.stringify(answer) : shown(answer, show));
  return {
    ask: asked,
    print,
    origin: new URL(target.url).origin,
    async run(operation, input, show) {
      print(await asked(operation, input), show);
    },
    async confirm({ what, yes }) {
      if (yes === true) return;
      if (!terminal.isInteractive) throw new CliError(what, 'Nobody is here to be asked. Say it again with --yes.');
      terminal.err(what);
      if (!(await terminal.confirm('Go on?'))) throw new CliError('Nothing was changed.');
    },
  };
}

/** Texts in answers come from vendors and strangers; what a terminal would obey is taken out of them. */
function shown(answer: unknown, show: (answer: unknown) => string): string {
  try {
    return show(harmless(answer));
  } catch (error) {
    if (error instanceof Error && error.name === 'ZodError')
      throw new CliError(
        'The connector gave an answer this command line cannot read.',
        'Both may be of different versions: use --json, or the command line of that version.',
      );
    throw error;
  }
}
