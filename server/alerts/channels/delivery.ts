/** What came of one try to hand a message over. */
export type Delivery =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /**
       * `passing`: tried again until it is too old. `refused`: the receiver has understood and does not want it, or the
       * settings are wrong; tried a few times more, as a deploy over there may be the reason.
       */
      readonly kind: 'passing' | 'refused';
      /** For a person; holds no secret. */
      readonly problem: string;
      /** The receiver asked to be left alone for this long; null: it did not say. */
      readonly retryAfterMs: number | null;
    };

export function passing(problem: string, retryAfterMs: number | null = null): Delivery {
  return { ok: false, kind: 'passing', problem, retryAfterMs };
}

export function refused(problem: string): Delivery {
  return { ok: false, kind: 'refused', problem, retryAfterMs: null };
}
