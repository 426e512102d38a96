import type * as z from 'zod';

/** One mistake in a file a person wrote: where, what, and what to do about it. */
export interface Problem {
  /** `integrations.acumatica-zuora.settings.methods[0].cashAccount` */
  readonly path: string;
  /** Line in the file, when known; counted from 1. */
  readonly line?: number;
  readonly reason: string;
  readonly fix: string;
}

export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`),
    '',
  );
}

/** What a schema found, with every problem of a union's nearest member instead of "invalid union". */
export function problemsOf(error: z.ZodError, below: readonly PropertyKey[] = []): Problem[] {
  return error.issues.flatMap((issue) => problemsOfIssue(issue, below));
}

function problemsOfIssue(issue: z.core.$ZodIssue, below: readonly PropertyKey[]): Problem[] {
  const path = [...below, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: pathText([...path, key]),
      reason: 'is not a setting here',
      fix: 'Remove it, or correct its spelling: the JSON Schema lists what may stand here.',
    }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The member that was meant is the one whose mistakes lie inside it; when none looks meant, all are named.
    const meant = issue.errors.find((member) => member.every((inner) => inner.path.length > 0));
    if (meant) return meant.flatMap((inner) => problemsOfIssue(inner, path));
    const reasons = [...new Set(issue.errors.flatMap((member) => member.map((inner) => inner.message)))];
    return [{ path: pathText(path), reason: reasons.join('; or: '), fix: fixFor(issue) }];
  }
  return [{ path: pathText(path), reason: issue.message, fix: fixFor(issue) }];
}

function fixFor(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.includes('received undefined') ? 'Add it.' : `Give a ${issue.expected}.`;
    case 'invalid_value':
      return `Use one of: ${issue.values.map(String).join(', ')}.`;
    case 'too_small':
    case 'too_big':
      return 'Choose a value inside the limits.';
    default:
      return 'Correct it; the commented example shows a value that works.';
  }
}

/** All problems as one text, one line each. */
export function problemsText(problems: readonly Problem[]): string {
  return problems
    .map(
      (problem) =>
        `${problem.line === undefined ? '' : `line ${problem.line}: `}${problem.path || '(file)'}: ${problem.reason}. ${problem.fix}`,
    )
    .join('\n');
}
