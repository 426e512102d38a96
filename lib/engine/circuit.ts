import type { FailureRecord } from '../failures.ts';
import { otherSide, type Side } from '../values/record-ref.ts';
import { alertOnce, alertOver } from './alerts-once.ts';
import type { Shift } from './shift.ts';
import { circuitKey } from './state-keys.ts';

export interface Pause {
  readonly since: string;
  readonly sentence: string;
  readonly fix?: string;
}

const alertNameOf = (connection: string): string => `circuit|${connection}`;

/** The sides whose connection is paused. */
export async function pausedSides(shift: Shift): Promise<ReadonlyMap<Side, Pause>> {
  const names = { a: shift.open.connection('a').name, b: shift.open.connection('b').name };
  const items = await shift.desk.state.getMany<{ since: string; sentence: string; fix?: string }>([
    circuitKey(names.a),
    circuitKey(names.b),
  ]);
  const paused = new Map<Side, Pause>();
  for (const item of items) {
    if (item.key.name === names.a) paused.set('a', item.value);
    if (item.key.name === names.b) paused.set('b', item.value);
  }
  return paused;
}

/** Sides whose vendor says that the connection cannot be used, with its sentence. Never throws for a vendor. */
async function redSides(shift: Shift, sides: readonly Side[]): Promise<ReadonlyMap<Side, { sentence: string; fix?: string }>> {
  const red = new Map<Side, { sentence: string; fix?: string }>();
  for (const side of sides) {
    const { vendor, client } = shift.open.connection(side);
    const results = await vendor.check(client);
    const worst = results.find((result) => result.level === 'red');
    if (worst) red.set(side, { sentence: worst.sentence, ...(worst.fix === undefined ? {} : { fix: worst.fix }) });
  }
  return red;
}

async function pause(shift: Shift, side: Side, why: { sentence: string; fix?: string }): Promise<void> {
  const { name } = shift.open.connection(side);
  const { clock, state, log } = shift.desk;
  const put = await state.put(circuitKey(name), { since: clock.now().toISOString(), ...why }, { expect: 'absent' });
  if (put !== 'conflict') log.warn('connection.paused', { integration: shift.name, connection: name });
  await alertOnce(shift.desk, {
    key: alertNameOf(name),
    integration: shift.name,
    sentence: `The connection ${name} is paused: ${why.sentence} Changes wait and nothing is lost; it resumes by itself after a good check.`,
    ...(why.fix === undefined ? {} : { fix: why.fix }),
  });
}

/**
 * A failure that breaks a whole connection: asks both vendors which one it is, pauses that one, and when both say they are well the one that
 * was being talked to, because the failure was real.
 */
export async function breakCircuit(shift: Shift, talkingTo: Side, failure: FailureRecord): Promise<void> {
  const red = await redSides(shift, [talkingTo, otherSide(talkingTo)]);
  if (red.size === 0) {
    await pause(shift, talkingTo, { sentence: failure.sentence, ...(failure.fix === undefined ? {} : { fix: failure.fix }) });
    return;
  }
  for (const [side, why] of red) await pause(shift, side, why);
}

/** After hours of failing: pauses what its vendor calls unusable. Answers whether anything was paused. */
export async function examineConnections(shift: Shift): Promise<boolean> {
  const red = await redSides(shift, ['a', 'b']);
  for (const [side, why] of red) await pause(shift, side, why);
  return red.size > 0;
}

/** Pings paused connections and resumes the good ones; answers how many resumed. */
export async function resumeConnections(shift: Shift): Promise<number> {
  let resumed = 0;
  for (const side of (await pausedSides(shift)).keys()) {
    if ((await redSides(shift, [side])).size > 0) continue;
    const { name } = shift.open.connection(side);
    await shift.desk.state.remove(circuitKey(name));
    await alertOver(shift.desk, shift.name, alertNameOf(name));
    shift.desk.log.info('connection.resumed', { integration: shift.name, connection: name });
    resumed++;
  }
  return resumed;
}
