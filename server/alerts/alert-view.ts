import type { Alert } from './alert.js';
import type { Silence } from './silence.js';

/** An alert as the page and the API show it. */
export interface AlertView {
  readonly alert: Alert;
  /** The finding that explains it and has its remedies; null: none. */
  readonly finding: { readonly key: string; readonly code: string; readonly title: string } | null;
  readonly firstRemedy: string | null;
  readonly path: string;
  readonly silence: Silence | null;
}
