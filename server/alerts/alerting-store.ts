import type { Database } from '../store/database.js';
import { type AlertStore, createAlertStore } from './alert-store.js';
import { createRulesStore, type RulesStore } from './rules-store.js';
import { createSilenceStore, type SilenceStore } from './silence-store.js';

/** All that alerting keeps. */
export interface AlertingStore {
  readonly rules: RulesStore;
  readonly alerts: AlertStore;
  readonly silences: SilenceStore;
}

export function createAlertingStore(database: Database): AlertingStore {
  return {
    rules: createRulesStore(database),
    alerts: createAlertStore(database),
    silences: createSilenceStore(database),
  };
}
