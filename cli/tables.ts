import Table from 'cli-table3';
import colors from 'picocolors';

type Cell = string | number | undefined;

/** A table for people. Nothing is cut; on a terminal the last column is folded to what is left of the line. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => row.map((cell) => String(cell ?? '')));
  const drawn = new Table({
    head: head.map((title) => colors.bold(title)),
    wordWrap: true,
    ...(process.stdout.isTTY
      ? { style: { head: [], border: colors.isColorSupported ? ['gray'] : [], compact: true }, colWidths: widths(head, texts) }
      : { style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 }, chars: plain }),
  });
  for (const row of texts) drawn.push(row);
  const text = drawn.toString();
  // The blanks with which a pipe's last column is filled up help nobody.
  return process.stdout.isTTY ? text : text.replace(/[ \t]+$/gm, '');
}

const leastWidth = 30;

function widths(head: readonly string[], rows: readonly (readonly string[])[]): (number | null)[] {
  const needed = head.map((title, index) => 2 + Math.max(title.length, ...rows.map((row) => longestLine(row[index] ?? ''))));
  const others = needed.slice(0, -1).reduce((sum, width) => sum + width + 1, 2);
  const left = Math.max(leastWidth, (process.stdout.columns ?? 120) - others);
  return needed.map((width, index) => (index === needed.length - 1 && width > left ? left : null));
}

const colour = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');
const longestLine = (text: string): number => Math.max(...text.split('\n').map((line) => line.replace(colour, '').length));

/** Without lines, so that the output of a pipe can be cut by columns. */
const plain = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

export const heading = (text: string): string => colors.bold(text);
export const dim = (text: string): string => colors.dim(text);
export const shortTime = (iso: string | undefined): string => (iso === undefined ? '' : iso.replace('T', ' ').slice(0, 19));
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const good = ['green', 'synced', 'posted', 'created', 'live', 'applied', 'adopted', 'updated', 'tied'];
const bad = ['red', 'held', 'broken', 'open', 'trouble'];
const between = ['amber', 'waiting', 'paused', 'working', 'preview', 'planned', 'explained'];

/** Colour of a state or level, for a quick look. */
export function mark(text: string): string {
  if (good.includes(text)) return colors.green(text);
  if (bad.includes(text)) return colors.red(text);
  return between.includes(text) ? colors.yellow(text) : text;
}

/** Texts of vendors and strangers without what a terminal would obey. */
export function harmless(value: unknown): unknown {
  if (typeof value === 'string') return withoutControls(value);
  if (Array.isArray(value)) return value.map(harmless);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [withoutControls(name), harmless(inner)]));
}

const withoutControls = (text: string): string =>
  text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (one) => (one === '\n' ? one : ' '));
