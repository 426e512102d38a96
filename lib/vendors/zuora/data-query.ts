import type { Io } from '../../contracts/io.ts';
import { Failure } from '../../failures.ts';
import { fingerprint, parseJson } from '../../values/json.ts';
import type { ZuoraSender } from './sender.ts';
import { misfit } from './sender.ts';
import { dataQueryAnswer, type TextRow, textsSchema } from './wire-answers.ts';

/** Longest a worker waits for a result; a longer job is left running and found again by the note. */
const patienceMs = 20_000;
const pollMs = [1000, 2000, 3000, 4000, 5000];
/** A job runs for an hour at most, up to four times; an older note is of no use. */
const rememberedMs = 4 * 60 * 60_000;

/** See `ZuoraClient.runDataQuery`. */
export async function runDataQuery(sender: ZuoraSender, io: Io, sql: string): Promise<readonly TextRow[]> {
  const note = `data-query:${fingerprint(sql)}`;
  const ask = { doing: 'run a data query', effect: 'read', answer: dataQueryAnswer } as const;
  const known = await io.notes.get(note);
  let job = typeof known === 'string' ? known : undefined;
  if (job === undefined) {
    const body = { query: sql, outputFormat: 'JSON', compression: 'NONE', output: { target: 'S3' }, sourceData: 'LIVE' };
    const started = await sender.send({ ...ask, operation: 'POST /query/jobs', path: '/query/jobs', body });
    job = started.data.id;
    await io.notes.put(note, job, { forMs: rememberedMs });
  }
  const path = `/query/jobs/${encodeURIComponent(job)}`;
  const deadline = io.clock.now().getTime() + patienceMs;
  for (let look = 0; ; look += 1) {
    const { data } = await sender.send({ ...ask, operation: 'GET /query/jobs/{id}', path }).catch(async (error: unknown) => {
      if (error instanceof Failure && error.kind === 'RecordGone') await io.notes.remove(note);
      throw error;
    });
    const status = data.queryStatus.toLowerCase();
    if (status === 'completed') {
      await io.notes.remove(note);
      return data.dataFile === undefined ? [] : parseLines(await sender.download(data.dataFile, ask.doing));
    }
    if (status === 'failed' || status === 'cancelled' || status === 'aborted') {
      await io.notes.remove(note);
      throw new Failure('RequestRejected', {
        cause: 'data-query:zuora',
        sentence: `Zuora did not finish a data query: it is ${status}${data.errorMessage === undefined ? '' : ` (“${data.errorMessage}”)`}.`,
        fix: 'Look at the query in Zuora (Data Query, History); it is asked for again at the next run.',
        ...(data.errorMessage === undefined ? {} : { said: data.errorMessage }),
      });
    }
    const pause = pollMs[Math.min(look, pollMs.length - 1)] ?? 5000;
    if (io.clock.now().getTime() + pause > deadline)
      throw new Failure('ConditionPending', {
        cause: 'data-query:zuora',
        actor: 'nobody',
        sentence: 'Zuora is still working on a data query; its result is fetched at the next look.',
        at: new Date(io.clock.now().getTime() + 60_000),
      });
    await io.clock.sleep(pause);
  }
}

/** The file holds one JSON object per line. */
function parseLines(file: string): readonly TextRow[] {
  return file
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const parsed = textsSchema.safeParse(parseLine(line));
      if (parsed.success) return parsed.data;
      throw misfit('GET data-file', 'read the result of a data query', parsed.error);
    });
}

function parseLine(line: string): unknown {
  try {
    return parseJson(line);
  } catch {
    return undefined;
  }
}
