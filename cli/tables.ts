import Table from 'cli-table3';
import colors from 'picocolors';

/** A table for people. Cells are texts; nothing is cut. */
export function table(head: readonly string[], rows: readonly (readonly (string | number | undefined)[])[]): string {
  const drawn = new Table({
    head: head.map((title) => colors.bold(title)),
    style: { head: [], border: ['gray'], compact: true },
    wordWrap: true,
    ...(process.stdout.isTTY ? {} : { chars: plain }),
  });
  for (const row of rows) drawn.push(row.map((cell) => String(cell ?? '')));
  return drawn.toString();
}

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

/** Colour of a state or level, for a quick look. */
export function mark(text: string): string {
  if (['green', 'synced', 'posted', 'created', 'live', 'applied', 'adopted', 'updated'].includes(text)) return colors.green(text);
  if (['red', 'held', 'broken'].includes(text)) return colors.red(text);
  if (['amber', 'waiting', 'paused', 'working', 'preview'].includes(text)) return colors.yellow(text);
  return text;
}
