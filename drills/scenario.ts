import type { Activity } from './activity.js';
import type { AlertTable } from './alert-table.js';
import type { AlertWatch } from './alert-watch.js';
import type { Api } from './api.js';
import type { SpillwaySettings } from './console-settings.js';
import type { World } from './world.js';

/** One incident as a runnable world. Adding one is a file with a Drill and a line in drills/index.ts. */
export interface Drill {
  readonly name: string;
  /** What happens, in a sentence. */
  readonly about: string;
  /** maxmemory of its Redis unless asked otherwise. */
  readonly maxmemoryBytes: number;
  /** Its Redis is a master with a replica, under Sentinel. */
  readonly withSentinel?: boolean;
  /** Its console is configured so. */
  readonly tenantField?: string;
  readonly spillway?: SpillwaySettings;
  /** What each role sees is checked: with --auto its console wants tokens. A person needs none. */
  readonly hasRoles?: boolean;
  /** What alerts, and about whom: checked with --auto. */
  readonly alerts: AlertTable;
  /** For a person at the console: what to look at and what to try, a line each. */
  readonly guide: readonly string[];
  /** Starts producers and workers. Returns at once; the incident then develops by itself. */
  readonly start: (world: World, activity: Activity, size: DrillSize) => Promise<DrillIncident>;
}

/** What all of a drill's steps have at hand. */
export interface Stage {
  readonly world: World;
  readonly activity: Activity;
}

/** How large a drill is played, where it can be played smaller. */
export interface DrillSize {
  /** Jobs of its largest part, which replays or drains them; null: as many as the drill has by itself. */
  readonly jobs: number | null;
}

/** An incident on its way. */
export interface DrillIncident {
  /** Resolves when it has developed as far as it goes by itself; the API is for what others enter at the console meanwhile. */
  readonly develop: (api: Api) => Promise<void>;
  /** Notes how it goes on while a person is at work in the console. Never ends by itself. */
  readonly follow: () => Promise<void>;
  /** Resolves it through the JSON API alone, and checks what was before and what is after. */
  readonly resolve: (api: Api, alerts: AlertWatch) => Promise<void>;
}
