// Loaded before anything else into every process of the drill (`node --import`): the machine's time plus what the drill has let pass.
// Timers stay real. A message that a killed worker had taken comes back after half an hour; with this it comes back at once, and leases,
// tokens and the times of looking have run on just as far, without a single setting of the stack being different from production.
import { readFileSync } from 'node:fs';

const file = process.env.PASSED_TIME_FILE;
const RealDate = Date;
const lookEveryMs = 20;
let passedMs = 0;
let lookedAt = Number.NEGATIVE_INFINITY;

function now() {
  const at = performance.now();
  if (at - lookedAt >= lookEveryMs) {
    lookedAt = at;
    try {
      passedMs = Math.max(passedMs, Number(readFileSync(file, 'utf8')) || 0);
    } catch {
      // Not written yet: nothing has passed.
    }
  }
  return RealDate.now() + passedMs;
}

const PassingDate = new Proxy(RealDate, {
  construct: (target, given, asked) =>
    Reflect.construct(target, given.length === 0 ? [now()] : given, asked === PassingDate ? target : asked),
  apply: (target) => new target(now()).toString(),
  get: (target, name) => (name === 'now' ? now : target[name]),
});
RealDate.prototype.constructor = PassingDate;
globalThis.Date = PassingDate;
