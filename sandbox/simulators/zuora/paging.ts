import { Refused } from './failures.ts';

export interface Page<T> {
  readonly rows: readonly T[];
  /** Full address of the next page, with the host that was asked. */
  readonly nextPage?: string;
}

/** v1 lists: `page` from 1, `pageSize` up to a maximum, `nextPage` as a full URL. */
export function pageOf<T>(rows: readonly T[], address: string, size: { readonly usual: number; readonly most: number }): Page<T> {
  const url = new URL(address);
  const pageSize = whole(url, 'pageSize', size.usual);
  const page = whole(url, 'page', 1);
  if (pageSize > size.most) throw new Refused('20', `pageSize must be between 1 and ${size.most}`);
  const start = (page - 1) * pageSize;
  const cut = rows.slice(start, start + pageSize);
  if (start + pageSize >= rows.length) return { rows: cut };
  url.searchParams.set('page', String(page + 1));
  url.searchParams.set('pageSize', String(pageSize));
  return { rows: cut, nextPage: url.toString() };
}

function whole(url: URL, name: string, usual: number): number {
  const text = url.searchParams.get(name);
  if (text === null) return usual;
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1) throw new Refused('20', `${name} must be a positive number`);
  return number;
}

export const withNext = (page: Page<unknown>) => (page.nextPage === undefined ? {} : { nextPage: page.nextPage });
