import { hold } from './holds.ts';

/**
 * Markers: the Zuora number (with prefix) written into CustomerOrder or PaymentRef, by which a document is found again.
 * Generation 1 is the bare number, later ones add `~g`, the reversal of a generation `~Rg`. A number is never cut: a cut one is no key.
 */

const longestNumber = 36;

export function numberOf(prefix: string, zuoraNumber: string): string {
  const number = `${prefix}${zuoraNumber.trim()}`;
  if (number.length > longestNumber)
    throw hold(
      'number-too-long',
      `The number ${number} has ${number.length} characters; the reference field of Acumatica keeps ${longestNumber} and room for a generation.`,
      'Shorten the document number sequence in Zuora or the markerPrefix.',
    );
  return number;
}

export const markerOf = (number: string, generation: number): string => (generation === 1 ? number : `${number}~${generation}`);

export const reversalMarkerOf = (number: string, generation: number): string => `${number}~R${generation}`;

/** Which generation of `number` a marker stands for; undefined for reversals and other numbers. */
export function generationOf(number: string, marker: string): number | undefined {
  const text = marker.trim().toLowerCase();
  const own = number.toLowerCase();
  if (text === own) return 1;
  const later = text.startsWith(`${own}~`) ? /^\d+$/.exec(text.slice(own.length + 1)) : null;
  return later ? Number(later[0]) : undefined;
}

/** Acumatica trims texts and compares without case. */
export const sameText = (left: string | undefined, right: string | undefined): boolean =>
  (left ?? '').trim().toLowerCase() === (right ?? '').trim().toLowerCase();

/** Cuts a text for people; keys and markers are never cut. */
export const cut = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);
