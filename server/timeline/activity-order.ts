/** Where an entry stands in the account: times may be equal, ids are not. */
export interface ActivityPlace {
  readonly atMs: number;
  readonly id: string;
}

/** Newest first. */
export function compareNewest(a: ActivityPlace, b: ActivityPlace): number {
  return b.atMs - a.atMs || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

/** As it stands in an address; holds no character that must be encoded but those of the id. */
export function cursorOf({ atMs, id }: ActivityPlace): string {
  return `${atMs}~${id}`;
}

/** The place that a cursor names; null: it is none. */
export function placeAt(cursor: string): ActivityPlace | null {
  const found = /^(\d{1,15})~(.{1,200})$/s.exec(cursor);
  return found ? { atMs: Number(found[1]), id: found[2] ?? '' } : null;
}
