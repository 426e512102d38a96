const mostMs = 60_000;

/** An answer that never comes must not keep the drill: after a minute it ends and names who was asked. */
export async function inTime<Answer>(who: string, answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${who} gave no answer within ${mostMs / 1000} seconds`)), mostMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
