import type { FC } from 'hono/jsx';
import type { ActivityEntry } from '../server/model/activity-entry.js';
import type { ActivityRow } from '../server/model/activity-row.js';
import { formatThings } from '../server/model/format.js';
import type { Span } from './drawn/geometry.js';
import { type Lane, type LanePin, Lanes, type LanesProps } from './drawn/lanes.js';
import { type PinKind, PinLegend } from './drawn/pin.js';

interface ActivityLanesProps {
  /** What the picture is of: "Activity from 02:43 to 03:43 UTC". */
  readonly title: string;
  /** As `groupActivity` orders them. */
  readonly rows: readonly ActivityRow[];
  readonly span: Span;
  readonly nowMs: number;
  /** Where an entry is shown, by its id; undefined: nowhere. */
  readonly hrefOf: (entry: string) => string | undefined;
}

/** More troubles than this are read in the list, not in a picture: the gravest and longest are drawn. */
const MAX_TROUBLES = 12;

/** The activity as bars in time: each trouble with what follows from it, then what was done and what else happened. */
export const ActivityLanes: FC<ActivityLanesProps> = (props) => {
  const lanes = lanesOf(props);
  const beyond = troublesOf(props.rows).length - MAX_TROUBLES;
  const kinds = lanes.lanes.flatMap(({ pins }) => pins.map(({ kind }) => kind));
  return (
    <>
      <Lanes {...lanes} />
      {kinds.length > 0 ? <PinLegend kinds={kinds} /> : null}
      {beyond > 0 ? (
        <p class="muted">{formatThings(beyond, 'shorter problem')} not drawn: see the list.</p>
      ) : null}
    </>
  );
};

/** The same for a drawing that stands by itself. */
export function lanesOf({ title, rows, span, nowMs, hrefOf }: ActivityLanesProps): LanesProps {
  const troubles = chosen(troublesOf(rows));
  const moments = rows.filter(({ spans }) => spans.length === 0);
  return {
    title,
    span,
    nowMs,
    lanes: [
      ...troubles.map((row) => laneOfTrouble(row, hrefOf)),
      ...MOMENTS.flatMap(([label, kind, groups]): readonly Lane[] => {
        const pins = moments
          .filter(({ group }) => groups.includes(group))
          .flatMap((row): readonly LanePin[] => pinsOf(row, kind, hrefOf));
        return pins.length === 0 ? [] : [{ label, bars: [], pins }];
      }),
    ],
  };
}

/** Lanes of moments, top to bottom. */
const MOMENTS: readonly (readonly [label: string, kind: PinKind, groups: readonly ActivityRow['group'][]])[] =
  [
    ['Actions', 'action', ['actions']],
    ['Deploys and notes', 'deploy', ['markers']],
    ['Workers', 'event', ['workers']],
    ['Redis', 'event', ['redis']],
    ['Alerts', 'alert', ['alerts']],
    ['Replays and parking', 'event', ['replays']],
    ['Spillway', 'event', ['console', 'incidents', 'findings', 'other']],
  ];

const WEIGHTS = { critical: 0, warning: 1, info: 2, calm: 3 } as const;

function troublesOf(rows: readonly ActivityRow[]): readonly ActivityRow[] {
  return rows.filter(({ spans }) => spans.length > 0);
}

/** The gravest and longest, in the order in which they began; what follows stays under its cause. */
function chosen(troubles: readonly ActivityRow[]): readonly ActivityRow[] {
  const weight = ({ state }: ActivityRow): number => WEIGHTS[state ?? 'calm'];
  const lasted = ({ fromMs, toMs }: ActivityRow): number => (toMs ?? Number.MAX_SAFE_INTEGER) - fromMs;
  const kept = new Set(
    [...troubles].sort((a, b) => weight(a) - weight(b) || lasted(b) - lasted(a)).slice(0, MAX_TROUBLES),
  );
  const shown = troubles.filter((row) => kept.has(row));
  const causes = new Set(shown.map(({ id }) => id));
  const isRoot = ({ follows }: ActivityRow): boolean => follows === null || !causes.has(follows);
  const roots = shown.filter(isRoot).sort((a, b) => a.fromMs - b.fromMs);
  return roots.flatMap((root) => [
    { ...root, follows: null },
    ...shown.filter(({ follows }) => follows === root.id),
  ]);
}

function laneOfTrouble(row: ActivityRow, hrefOf: ActivityLanesProps['hrefOf']): Lane {
  return {
    label: row.headline,
    follows: row.follows !== null,
    bars: row.spans.map(({ fromMs, toMs, state, entry }) => ({
      fromMs,
      toMs,
      kind: row.group === 'alerts' ? 'alert' : state,
      label: row.group === 'alerts' ? 'firing' : state,
      href: hrefOf(entry),
    })),
    pins: row.entries
      .filter(({ kind }) => row.group !== 'alerts' && kind === 'alert.firing')
      .map((entry) => ({ atMs: entry.atMs, kind: 'alert', label: entry.text, href: hrefOf(entry.id) })),
  };
}

function pinsOf(row: ActivityRow, kind: PinKind, hrefOf: ActivityLanesProps['hrefOf']): readonly LanePin[] {
  const of = (entry: ActivityEntry): LanePin => ({
    atMs: entry.atMs,
    kind: entry.kind === 'marker.note' ? 'note' : kind,
    label: row.entries.length > 1 || row.detail === '' ? row.headline : `${row.headline}: ${row.detail}`,
    href: hrefOf(entry.id),
  });
  const [first] = row.entries;
  return first ? [of(first)] : [];
}
