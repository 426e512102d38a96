import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { purgeText, replayText, switchOffText, unlinkText } from './confirmations.ts';
import { CliError } from './connection.ts';
import { type GlobalOptions, openSession, type Session } from './session.ts';
import { showAudit, showExplain, showHolds, showPlans, showWaiting } from './show-records.ts';
import * as repairs from './show-repairs.ts';
import { showCheck, showPoll, showStatus } from './show-standing.ts';
import type { Terminal } from './terminal.ts';

/** The commands of `ml-connector`. `codes` receives the exit code of a command that was carried out and found something red. */
export function createProgram(terminal: Terminal, codes: { exit: number }): Command {
  const program = new Command('ml-connector')
    .description('Looks into a running connector and repairs what failed: the rehearsal of this folder, or a deployment by --url.')
    .option('--url <url>', 'OperationsUrl of a deployed stack; without it the rehearsal that runs here')
    .option('--state <folder>', 'state folder of the rehearsal (default .rehearsal)')
    .option('--integration <name>', 'only this integration')
    .option('--json', 'print the answer as JSON')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => terminal.out(text.trimEnd()), writeErr: (text) => terminal.err(text.trimEnd()) })
    .showHelpAfterError('(--help shows what can be asked)')
    .exitOverride();
  const open = (): Session => openSession(terminal, program.opts<GlobalOptions>());
  addLooks(program, open, codes);
  addRepairs(program, open);
  addSettings(program, open);
  addDeadLetters(program, open);
  return program;
}

const flowOption = (): Option => new Option('--flow <flow>', 'only this flow: invoices');
const yesOption = (): Option => new Option('--yes', 'do it without asking');

function addLooks(program: Command, open: () => Session, codes: { exit: number }): void {
  program
    .command('check')
    .description('is every connection ready, and if not, who does what')
    .action(async () => {
      const session = open();
      const answer = await session.ask('check', {});
      session.print(answer, showCheck);
      // For scripts: a red line is a failed command.
      if ((answer as { level?: string }).level === 'red') codes.exit = 1;
    });
  program
    .command('status')
    .description('flows, connections, queues, what waits and what is held')
    .action(() => open().run('status', {}, showStatus));
  program
    .command('explain <record>')
    .description('the whole story of one record: INV00000417, KR-10023, Invoice/AR004701, a vendor id, flow|side|key')
    .addOption(flowOption())
    .action((record: string, options: object) => open().run('explain', { record, ...options }, showExplain));
  program
    .command('audit [record]')
    .description('what was decided and written, newest last')
    .addOption(flowOption())
    .option('--outcome <outcome>', 'posted, created, held, operator, …')
    .option('--from <when>', 'a day or an instant: 2026-03-02 or 2026-03-02T08:00:00Z', instant)
    .option('--to <when>', 'a day counts to its end', instant)
    .option('--before <place>', 'older entries, from where the answer before stopped')
    .addOption(new Option('--limit <number>', 'at most so many entries').argParser(countUpTo(2000)).default(50))
    .action((record: string | undefined, options: object) => open().run('audit', { record, ...options }, showAudit));
  program
    .command('holds [cause]')
    .description('what is held, grouped by cause, with money and the fix')
    .addOption(flowOption())
    .action((cause: string | undefined, options: object) => open().run('holds', { cause, ...options }, showHolds));
  program
    .command('waiting')
    .description('what waits for another record or for somebody in one of the systems')
    .addOption(flowOption())
    .action((options: object) => open().run('waiting', { ...options }, showWaiting));
  program
    .command('plans [flow]')
    .description('what flows in preview would do, with money and what stands in the way')
    .option('--would <what>', 'only these: post, reverse, create, update, adopt, trouble')
    .addOption(new Option('--limit <number>', 'at most so many plans').argParser(countUpTo(500)).default(20))
    .option('--after <place>', 'the next plans, from where the answer before stopped')
    .action((flow: string | undefined, options: object) => open().run('plans', { flow, ...options }, showPlans));
  program
    .command('reports')
    .description('reports, when they run, and what their last runs said')
    .action(() => open().run('reports', {}, repairs.showReports));
  program
    .command('report <report>')
    .description('one report in full: its latest result, that of a period, or a new run')
    .option('--period <period>', '2026-03, or a day')
    .option('--run', 'run it now')
    .action((report: string, options: object) => open().run('report', { report, ...options }, repairs.showReport));
}

function addRepairs(program: Command, open: () => Session): void {
  program
    .command('poll [flows...]')
    .description('look for changes now, due or not')
    .option('--backfill', 'everything since the cut-over date, on the bulk queue')
    .action((flows: string[], options: { backfill?: boolean }) =>
      open().run('poll', { flows: flows.length > 0 ? flows : undefined, backfill: options.backfill }, showPoll),
    );
  program
    .command('replay [record...]')
    .description('look again at a record (INV00000417, or: journals JR-00000045), a cause, or everything held')
    .option('--cause <cause>', 'all records held for this cause; account-map:* for all that begin so')
    .option('--held', 'everything held')
    .addOption(flowOption())
    .addOption(yesOption())
    .action(async (words: string[], { yes, ...options }: { yes?: boolean; cause?: string; held?: boolean; flow?: string }) => {
      if (words.length > 2) throw usage('replay takes one record, or a flow and a record.', 'Example: replay journals JR-00000045');
      const session = open();
      if (words.length === 0 && (options.held || options.cause !== undefined) && !yes) {
        const what = await replayText(session, options);
        if (what !== undefined) await session.confirm({ what, yes });
      }
      const named = words.length === 2 ? { flow: words[0], record: words[1] } : { record: words[0] };
      await session.run('replay', { ...options, ...withoutUndefined(named) }, repairs.showReplay);
    });
  program
    .command('decide <record> <decision>')
    .description('answer a hold that offers choices: create, recreate, ignore, next-generation, a-wins, b-wins')
    .addOption(flowOption())
    .action((record: string, decision: string, options: object) =>
      open().run('decide', { record, decision, ...options }, repairs.showDecided),
    );
  program
    .command('link <flow> <a> <b>')
    .description('link two records that exist on both sides: link customers C0000412 KR-10023')
    .action((flow: string, a: string, b: string) => open().run('link', { flow, a, b }, repairs.showLinked));
  program
    .command('unlink <record>')
    .description('forget that two records belong together')
    .addOption(flowOption())
    .addOption(yesOption())
    .action(async (record: string, { yes, flow }: { yes?: boolean; flow?: string }) => {
      const session = open();
      if (!yes) await session.confirm({ what: await unlinkText(session, { record, flow }), yes });
      await session.run('unlink', { record, flow }, repairs.showUnlinked);
    });
}

function addSettings(program: Command, open: () => Session): void {
  program
    .command('map [table] [fields...]')
    .description('show the mapping tables, or add or change a row: map accountMap "code=EU Usage" account=40100')
    .option('--key <key>', 'entry of a table of names: map reasonAccounts --key Write-off 66000')
    .option('--remove', 'remove the row that is named: map accountMap --remove "code=EU Usage"')
    .action((table: string | undefined, fields: string[], options: { key?: string; remove?: boolean }) => {
      if (table === undefined || (fields.length === 0 && !options.remove && options.key === undefined))
        return open().run('mappings', { table }, repairs.showMappings);
      const edit = options.remove
        ? { key: options.key ?? removedKey(fields), row: null }
        : { key: options.key, row: rowOf(fields, options.key) };
      return open().run('map', { table, ...edit }, repairs.showMapped);
    });
  program
    .command('mode <flow> <mode>')
    .description('switch a flow to live, preview, paused or off')
    .addOption(yesOption())
    .action(async (flow: string, mode: string, { yes }: { yes?: boolean }) => {
      const session = open();
      if (mode === 'off' && !yes) await session.confirm({ what: await switchOffText(session, flow), yes });
      await session.run('mode', { flow, mode }, repairs.showMode);
    });
  const connect = program.command('connect').description('the connections to the systems');
  connect
    .command('register')
    .description('register the webhooks at the systems that send them, or say how to')
    .action(() => {
      const session = open();
      return session.run('register', { origin: session.origin }, repairs.showRegistered);
    });
}

function addDeadLetters(program: Command, open: () => Session): void {
  const dlq = program.command('dlq').description('the dead-letter queue');
  dlq
    .command('list')
    .description('what is there, and why')
    .action(() => open().run('dlq-list', {}, repairs.showLetters));
  dlq
    .command('show <id>')
    .description('one dead letter in full')
    .action(async (id: string) => {
      const session = open();
      const letter = repairs.lettersOf(await session.ask('dlq-list', {})).find((one) => one.id === id || one.id.startsWith(id));
      if (letter === undefined) throw new CliError(`There is no dead letter ${id}.`, 'See what is there with: dlq list');
      session.print(letter, (shown) => repairs.showLetter(shown as repairs.Letter));
    });
  dlq
    .command('redrive [id]')
    .description('put one letter, those of a cause, or all back on the live queue')
    .option('--all')
    .option('--cause <cause>', 'those of this cause; account-map:* for all that begin so')
    .action((id: string | undefined, options: object) => open().run('dlq-redrive', { id, ...options }, repairs.showRedriven));
  dlq
    .command('purge [id]')
    .description('remove one letter, those of a cause, or all for good; the records stay held')
    .option('--all')
    .option('--cause <cause>', 'those of this cause; account-map:* for all that begin so')
    .addOption(yesOption())
    .action(async (id: string | undefined, { yes, ...options }: { all?: boolean; cause?: string; yes?: boolean }) => {
      const choice = { id, ...options };
      if (Object.values(choice).every((one) => one === undefined))
        throw usage('Say which letter.', 'Example: dlq purge 01KM5HWKKAC5TXR0DVJPM0FF5S, dlq purge --cause CAUSE, or dlq purge --all');
      const session = open();
      if (!yes) await session.confirm({ what: await purgeText(session, choice), yes });
      await session.run('dlq-purge', choice, repairs.showPurged);
    });
}

/** A command that cannot be understood: exit code 2, like what the parser itself refuses. */
function usage(sentence: string, fix: string): CommanderError {
  return new CommanderError(2, 'ml-connector.usage', `${sentence}\n→ ${fix}`);
}

function instant(text: string): string {
  if (/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z)?$/.test(text) && !Number.isNaN(Date.parse(text))) return text;
  throw new InvalidArgumentError('Use a day or an instant in UTC: 2026-03-02 or 2026-03-02T08:00:00Z.');
}

function countUpTo(most: number) {
  return (text: string): number => {
    const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
    if (count >= 1 && count <= most) return count;
    throw new InvalidArgumentError(`Use a whole number from 1 to ${most}.`);
  };
}

const mapExample = 'Example: map accountMap "code=EU Usage" account=40100';

/** `code=EU Usage account=40100` as a row; a single value for an entry of a table of names. */
function rowOf(fields: readonly string[], key: string | undefined): unknown {
  if (key !== undefined && fields.length === 1) return fields[0];
  if (fields.length === 0)
    throw usage('No fields were given.', key === undefined ? mapExample : 'Example: map reasonAccounts --key Write-off 66000');
  const row = new Map<string, string>();
  for (const field of fields) {
    const at = field.indexOf('=');
    if (at < 1) throw usage(`"${field.slice(0, 100)}" is not name=value.`, mapExample);
    const name = field.slice(0, at);
    if (row.has(name)) throw usage(`${name} is given twice.`, mapExample);
    row.set(name, field.slice(at + 1));
  }
  return Object.fromEntries(row);
}

function removedKey(fields: readonly string[]): string {
  if (fields.length === 0) throw usage('No row was named.', 'Example: map accountMap --remove "code=EU Usage"');
  return fields.join(';');
}

function withoutUndefined(members: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
}

/** Carries out one command line. 0: done. 1: refused, failed or red. 2: not understood. */
export async function runCli(words: readonly string[], terminal: Terminal): Promise<number> {
  const codes = { exit: 0 };
  const asJson = words.includes('--json');
  const complain = (sentence: string, fix: string | undefined): void => {
    if (asJson) terminal.err(JSON.stringify({ error: { sentence, ...(fix === undefined ? {} : { fix }) } }));
    else terminal.err(fix === undefined ? sentence : `${sentence}\n→ ${fix}`);
  };
  try {
    await createProgram(terminal, codes).parseAsync([...words], { from: 'user' });
    return codes.exit;
  } catch (error) {
    if (error instanceof CommanderError) {
      // What the parser refuses, it has told already.
      if (error.code === 'ml-connector.usage') terminal.err(error.message);
      return error.exitCode === 0 ? 0 : 2;
    }
    if (error instanceof CliError) complain(error.message, error.fix);
    else
      complain(
        `ml-connector stopped at a state it does not expect: ${error instanceof Error ? error.message.slice(0, 300) : 'unknown'}`,
        'Send the command and this line to the maintainers.',
      );
    return 1;
  }
}
