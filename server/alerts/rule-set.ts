import type { AlertingStore } from './alerting-store.js';
import type { AlertRule } from './rule.js';
import type { KeptRule } from './rules-store.js';
import type { Silence } from './silence.js';

/** Rules and silences as they hold now: those of the configuration, and a copy of what the store has. */
export class RuleSet {
  readonly #store: AlertingStore;
  readonly #fromFile: readonly KeptRule[];
  #kept: readonly KeptRule[] = [];
  #edition = '';
  #silences: readonly Silence[] = [];

  constructor(store: AlertingStore, fileRules: readonly AlertRule[]) {
    this.#store = store;
    this.#fromFile = fileRules.map((rule) => ({ rule, source: 'file', updatedAtMs: null, updatedBy: null }));
  }

  /** Takes over what was changed in the store, by whichever console. @returns true: rules have changed. */
  async refresh(nowMs: number): Promise<boolean> {
    this.#silences = await this.#store.silences.active(nowMs);
    const edition = await this.#store.rules.edition();
    if (edition === this.#edition) return false;
    this.#kept = await this.#store.rules.list();
    this.#edition = edition;
    return true;
  }

  /** Those of the file first, which count whatever the store says of the same id; then by id. */
  kept(): readonly KeptRule[] {
    const ids = new Set(this.#fromFile.map(({ rule }) => rule.id));
    return [...this.#fromFile, ...this.#kept.filter(({ rule }) => !ids.has(rule.id))];
  }

  rules(): readonly AlertRule[] {
    return this.kept().map(({ rule }) => rule);
  }

  silences(nowMs: number): readonly Silence[] {
    return this.#silences.filter(({ endsAtMs }) => endsAtMs > nowMs);
  }
}
