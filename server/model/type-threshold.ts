/** A job type of one queue of one Redis. */
export interface TypeKey {
  readonly instance: string;
  readonly queue: string;
  readonly type: string;
}

/** Thresholds that one console keeps: each is looked up whenever its type is judged. */
export const MAX_TYPE_THRESHOLDS = 5_000;

/** Run times from which people call a job type slow, by queue and job type. */
export interface TypeThresholds {
  /** ms; null: none is set. Costs no read, as it is asked for every type at every judgement. */
  of(instance: string, queue: string, type: string): number | null;
  /** How many are set. */
  readonly count: number;
  /**
   * Sets one, or with null removes it. In force from the moment it is on disk.
   * @returns false where there are MAX_TYPE_THRESHOLDS already; nothing has changed then.
   */
  set(
    key: TypeKey,
    slowThresholdMs: number | null,
    by: { readonly actor: string; readonly atMs: number },
  ): Promise<boolean>;
  /** What the store holds, for reading back. */
  read(key: TypeKey): Promise<number | null>;
}
