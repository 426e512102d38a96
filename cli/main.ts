#!/usr/bin/env -S npx tsx
import { Command, CommanderError, Option } from 'commander';
import { ask, CliError, findTarget } from './connection.ts';
import { showAudit, showCheck, showExplain, showHolds, showLetter, showLetters, showPoll, showStatus } from './show.ts';

/** `ml-connector`: the operations of a running connector from a terminal. Tables for people, `--json` for programs. */

interface GlobalOptions {
  readonly url?: string;
  readonly state?: string;
  readonly json?: boolean;
  readonly integration?: string;
}

const program = new Command('ml-connector')
  .description('Looks into a running connector and repairs what failed: the rehearsal of this folder, or a deployment by --url.')
  .option('--url <url>', 'OperationsUrl of a deployed stack; without it the rehearsal that runs here')
  .option('--state <folder>', 'state folder of the rehearsal (default .rehearsal)')
  .option('--integration <name>', 'only this integration')
  .option('--json', 'print the answer as JSON')
  .configureHelp({ showGlobalOptions: true })
  .showHelpAfterError('(--help shows what can be asked)')
  .exitOverride();

/** Asks and prints. `show` makes the text for people. */
async function run(operation: string, input: Readonly<Record<string, unknown>>, show: (answer: unknown) => string): Promise<void> {
  const options = program.opts<GlobalOptions>();
  const given = Object.fromEntries(
    Object.entries({ integration: options.integration, ...input }).filter(([, value]) => value !== undefined),
  );
  const answer = await ask(findTarget(options), operation, given);
  const text = show(answer);
  process.stdout.write(`${options.json ? JSON.stringify(answer) : text}\n`);
}

const asJson = (answer: unknown): string => JSON.stringify(answer, null, 2);

program
  .command('check')
  .description('is every connection ready, and if not, who does what')
  .action(() =>
    run('check', {}, (answer) => {
      // For scripts: a red line is a failed command.
      if ((answer as { level?: string }).level === 'red') process.exitCode = 1;
      return showCheck(answer);
    }),
  );
program
  .command('status')
  .description('flows, connections, queues, what waits and what is held')
  .action(() => run('status', {}, showStatus));
program
  .command('poll [flows...]')
  .description('look for changes now, due or not')
  .option('--backfill', 'everything since the cut-over date, on the bulk queue')
  .action((flows: string[], options: { backfill?: boolean }) =>
    run('poll', { flows: flows.length > 0 ? flows : undefined, backfill: options.backfill }, showPoll),
  );
program
  .command('explain <record>')
  .description('the whole story of one record: INV00000417, KR-10023, a vendor id')
  .action((record: string) => run('explain', { record }, showExplain));
program
  .command('audit [record]')
  .description('what was decided and written')
  .option('--flow <flow>')
  .option('--outcome <outcome>', 'posted, created, held, …')
  .option('--from <instant>', '2026-03-02T00:00:00Z')
  .option('--to <instant>')
  .addOption(new Option('--limit <number>').argParser(Number).default(50))
  .action((record: string | undefined, options: object) => run('audit', { record, ...options }, showAudit));
program
  .command('holds [cause]')
  .description('what is held, grouped by cause, with money and the fix')
  .action((cause: string | undefined) => run('holds', { cause }, showHolds));
program
  .command('replay [record]')
  .description('look again at a record, a cause, or everything held')
  .option('--cause <cause>', 'all records held for this cause')
  .option('--held', 'everything held')
  .option('--flow <flow>')
  .action((record: string | undefined, options: object) => run('replay', { record, ...options }, asJson));
program
  .command('map <table> [fields...]')
  .description('add or change a row of a mapping table: map accountMap "code=EU Usage" account=40100')
  .option('--key <key>', 'entry of a table of names: map reasonAccounts 66000 --key Write-off')
  .option('--remove', 'remove the row named by --key')
  .action((table: string, fields: string[], options: { key?: string; remove?: boolean }) =>
    run('map', { table, key: options.key, row: options.remove ? null : rowOf(fields, options.key) }, asJson),
  );
program
  .command('mode <flow> <mode>')
  .description('switch a flow to live, preview, paused or off')
  .action((flow: string, mode: string) => run('mode', { flow, mode }, asJson));
program
  .command('link <flow> <a> <b>')
  .description('link two records that exist on both sides')
  .action((flow: string, a: string, b: string) => run('link', { flow, a, b }, asJson));
program
  .command('unlink <record>')
  .description('forget that two records belong together')
  .option('--flow <flow>')
  .action((record: string, options: object) => run('unlink', { record, ...options }, asJson));
program
  .command('decide <record> <decision>')
  .description('answer a hold that offers choices: create, recreate, ignore')
  .option('--flow <flow>')
  .action((record: string, decision: string, options: object) => run('decide', { record, decision, ...options }, asJson));

const dlq = program.command('dlq').description('the dead-letter queue');
dlq
  .command('list')
  .description('what is there, and why')
  .action(() => run('dlq-list', {}, showLetters));
dlq
  .command('show <id>')
  .description('one dead letter in full')
  .action((id: string) =>
    run('dlq-list', {}, (answer) => {
      const letter = showLetter(answer, id);
      if (letter === undefined) throw new CliError(`There is no dead letter ${id}.`, 'See what is there with: dlq list');
      return letter;
    }),
  );
dlq
  .command('redrive [id]')
  .description('put one letter, or all, back on the live queue')
  .option('--all')
  .action((id: string | undefined, options: object) => run('dlq-redrive', { id, ...options }, asJson));
dlq
  .command('purge [id]')
  .description('remove one letter, or all, for good; the records stay held')
  .option('--all')
  .option('--yes', 'do it without asking')
  .action((id: string | undefined, options: { all?: boolean; yes?: boolean }) => {
    if (!options.yes)
      throw new CliError(
        `This removes ${options.all ? 'every dead letter' : `dead letter ${id ?? ''}`} for good; the records stay held and can still be replayed.`,
        'Say it again with --yes.',
      );
    return run('dlq-purge', { id, all: options.all }, asJson);
  });

/** `code=EU Usage account=40100` as a row; a single value for a table of names. */
function rowOf(fields: readonly string[], key: string | undefined): unknown {
  if (key !== undefined && fields.length === 1 && !fields[0]?.includes('=')) return fields[0];
  const pairs = fields.map((field) => {
    const at = field.indexOf('=');
    if (at < 1) throw new CliError(`"${field}" is not name=value.`, 'Example: map accountMap "code=EU Usage" account=40100');
    return [field.slice(0, at), field.slice(at + 1)] as const;
  });
  if (pairs.length === 0) throw new CliError('No fields were given.', 'Example: map accountMap "code=EU Usage" account=40100');
  return Object.fromEntries(pairs);
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (error instanceof CliError) {
    process.stderr.write(`${error.message}\n${error.fix ? `→ ${error.fix}\n` : ''}`);
    process.exitCode = 1;
  } else throw error;
}
