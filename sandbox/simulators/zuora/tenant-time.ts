const offsets = new Map<string, number>();
const formats = new Map<string, Intl.DateTimeFormat>();

/** Minutes the zone is ahead of UTC at this instant; zones change only on quarter hours, so one look per quarter hour is enough. */
function offsetMinutes(zone: string, atMs: number): number {
  const quarter = Math.floor(atMs / 900_000);
  const key = `${zone}|${quarter}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
    formats.set(zone, format);
  }
  const name = format.formatToParts(new Date(quarter * 900_000)).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
  const parts = /GMT([+-])(\d{2}):(\d{2})/.exec(name);
  const minutes = parts ? (parts[1] === '-' ? -1 : 1) * (Number(parts[2]) * 60 + Number(parts[3])) : 0;
  offsets.set(key, minutes);
  return minutes;
}

/** ISO in UTC, cut to the second. */
export function instantText(instant: Date): string {
  return `${instant.toISOString().slice(0, 19)}Z`;
}

function local(instant: string, zone: string): { readonly wall: string; readonly offset: string } {
  const atMs = Date.parse(instant);
  const minutes = offsetMinutes(zone, atMs);
  const size = Math.abs(minutes);
  return {
    wall: new Date(atMs + minutes * 60_000).toISOString().slice(0, 19),
    offset: `${minutes < 0 ? '-' : '+'}${String(Math.floor(size / 60)).padStart(2, '0')}:${String(size % 60).padStart(2, '0')}`,
  };
}

/** Object Query: `2026-03-02T04:15:09-08:00`. */
export function offsetTime(instant: string, zone: string): string {
  const { wall, offset } = local(instant, zone);
  return wall + offset;
}

/** v1: `2026-03-02 04:15:09`, tenant zone, nothing says so. */
export function plainTime(instant: string, zone: string): string {
  return local(instant, zone).wall.replace('T', ' ');
}

/** Callout history: `2026-03-02T04:15:09`, tenant zone. */
export function wallTime(instant: string, zone: string): string {
  return local(instant, zone).wall;
}

/** ZOQL: `2026-03-02T04:15:09.000-08:00`. */
export function zoqlTime(instant: string, zone: string): string {
  const { wall, offset } = local(instant, zone);
  return `${wall}.000${offset}`;
}

/** Callout merge field: `2026-03-02T04:15:09.120-0800`. */
export function eventTime(instant: Date, zone: string): string {
  const { wall, offset } = local(instantText(instant), zone);
  return `${wall}.${String(instant.getUTCMilliseconds()).padStart(3, '0')}${offset.replace(':', '')}`;
}

/** Notifications API: `2026-03-01T09:00:00.000 UTC`. */
export function utcTime(instant: string): string {
  return `${instant.slice(0, 19)}.000 UTC`;
}

export function localDate(instant: string, zone: string): string {
  return local(instant, zone).wall.slice(0, 10);
}

/** An instant somebody sent: needs `Z` or an offset. A `+` that arrived as a blank makes it unreadable, as it should. */
export function parseInstant(text: string): string | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})$/.test(text)) return undefined;
  const atMs = Date.parse(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
  return Number.isNaN(atMs) ? undefined : new Date(atMs).toISOString();
}

/** A wall-clock time of the tenant's zone as an instant. */
export function parseWallTime(text: string, zone: string): string | undefined {
  if (!/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}$/.test(text)) return undefined;
  const asUtcMs = Date.parse(`${text.replace(' ', 'T')}Z`);
  if (Number.isNaN(asUtcMs)) return undefined;
  const guessMs = asUtcMs - offsetMinutes(zone, asUtcMs) * 60_000;
  return instantText(new Date(asUtcMs - offsetMinutes(zone, guessMs) * 60_000));
}
