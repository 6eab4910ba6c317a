/** A deploy or a note, entered by people or pipelines: what findings may set beside the moment at which trouble began. */
export interface Marker {
  readonly atMs: number;
  readonly kind: MarkerKind;
  readonly text: string;
  /** Who entered it. */
  readonly actor: string;
  /** Id of the queue that it is about; null: about the whole instance. */
  readonly queue: string | null;
}

export const MARKER_KINDS = ['deploy', 'note'] as const;
export type MarkerKind = (typeof MARKER_KINDS)[number];
