import { Failure, type FailureInput } from '../../failures.ts';
import { type Decimal, readable } from '../../values/decimal.ts';

/** The holds of this pair whose sentence is needed in more than one place, and a short way to make the others. */

export { hold } from '../../failures.ts';

export function mappingMissing(cause: string, sentence: string, fix: string, more: Partial<FailureInput> = {}): Failure {
  return new Failure('MappingMissing', { ...more, cause, sentence, fix });
}

export function accountUnmapped(code: string): Failure {
  return mappingMissing(
    `account-map:${code}`,
    `Accounting code '${code}' has no Acumatica account.`,
    `Add '${code}' to accountMap (or its G/L number in Zuora); every document held for it is then posted.`,
  );
}

/** A memo whose reason must not land on revenue. */
export function reasonUnmapped(number: string, reason: string): Failure {
  return mappingMissing(
    `account-map:${reason}`,
    `${number} has the reason '${reason}', for which no Acumatica account is set. It was not booked against revenue.`,
    `Add '${reason}' to reasonAccounts; every memo held for it is then posted.`,
  );
}

export function accountUnusable(code: string, account: string, why: string): Failure {
  return mappingMissing(
    `account-map:${code}`,
    `Accounting code '${code}' leads to Acumatica account ${account}, which is ${why}.`,
    `Choose another account for '${code}' in accountMap, or correct ${account} in Acumatica (GL202500).`,
  );
}

export function periodClosed(period: string, date: string, what: string): Failure {
  const shown = `${period.slice(4)}-${period.slice(0, 4)}`;
  return new Failure('NeedsPerson', {
    cause: `period:${period}`,
    sentence: `${what} is dated ${date}; period ${shown} is closed for it in Acumatica. Nothing was written.`,
    fix: `Reopen ${shown} or set closedPeriod: next-open. It is looked at again every 30 minutes.`,
  });
}

export function unknownValue(field: string, value: string, what: string): Failure {
  return new Failure('NeedsPerson', {
    cause: `unknown-value:${field}`,
    sentence: `${what} has ${field} '${value}', which this connector does not know.`,
    fix: 'Update the connector or correct the document in Zuora; nothing was written.',
  });
}

export function voidedInAcumatica(what: string, target: string, status: string): Failure {
  return new Failure('NeedsPerson', {
    cause: 'voided-in-acumatica',
    sentence: `${what} is in Acumatica as ${target}, which somebody made ${status}.`,
    fix: 'Release the hold with next-generation to post it anew, or with ignore to leave it so.',
    details: { target, status },
  });
}

export function deletedInAcumatica(what: string, target: string): Failure {
  return new Failure('NeedsPerson', {
    cause: 'deleted-in-acumatica',
    sentence: `${what} was written to Acumatica as ${target}, and ${target} no longer exists.`,
    fix: 'Release the hold with recreate to write it again, or with ignore to leave it so.',
    details: { target },
  });
}

export function duplicateInAcumatica(marker: string, targets: readonly string[]): Failure {
  return new Failure('NeedsPerson', {
    cause: 'duplicate-in-acumatica',
    sentence: `Acumatica has ${targets.length} documents with the reference ${marker}: ${targets.join(', ')}.`,
    fix: 'Remove or renumber the ones that are not ours, then replay. None of them was touched.',
    details: { marker, candidates: targets.join(', ') },
  });
}

export function markerCollision(marker: string, target: string, differences: readonly string[]): Failure {
  return new Failure('NeedsPerson', {
    cause: 'marker-collision',
    sentence: `${target} carries our reference ${marker} but differs: ${differences.join('; ')}. It was not touched.`,
    fix: `Change the reference on ${target} if it is another document; restore it if it is ours and was edited. Then replay.`,
    details: { marker, target, differences: differences.join('; ') },
  });
}

export function statusPending(form: string, target: string, status: string, at: Date): Failure {
  return new Failure('ConditionPending', {
    cause: 'acumatica-status',
    sentence: `${target} is ${status} in Acumatica and waits for a person there.`,
    fix:
      status === 'Balanced'
        ? `Release ${target} on ${form}.`
        : `Settle '${status}' of ${target} on ${form}. The connector goes on by itself.`,
    code: status,
    at,
  });
}

export function unapplyNeeded(ask: {
  readonly sourceNumber: string;
  readonly sourceType: string;
  readonly sourceRef: string;
  readonly rows: readonly { readonly number: string; readonly ref: string; readonly amount: Decimal }[];
}): Failure {
  const [first] = ask.rows;
  const steps = ask.rows.map((row) => `row ${row.ref} ${readable(row.amount)}`).join(', ');
  return new Failure('NeedsPerson', {
    cause: `unapply:${ask.sourceNumber}/${first?.number ?? ''} ${readable(first?.amount ?? '0')}`,
    sentence: `Zuora no longer applies ${ask.rows.map((row) => `${readable(row.amount)} of ${ask.sourceNumber} to ${row.number}`).join(' and ')}; Acumatica still does. Nothing was written.`,
    fix: `AR302000, ${ask.sourceType} ${ask.sourceRef}, Application History, ${steps}: Reverse Application, Release; then Replay.`,
    details: Object.fromEntries(ask.rows.map((row) => [row.number, readable(row.amount)])),
  });
}
