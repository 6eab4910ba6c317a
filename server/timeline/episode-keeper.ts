import { briefOf } from '../model/brief.js';
import type { Evidence } from '../model/evidence.js';
import { formatDuration, formatValue } from '../model/format.js';
import { freshnessOf } from '../model/sight.js';
import type { TimelineEntry, TimelineLog } from '../model/timeline-entry.js';
import { plainName } from '../model/words.js';
import type { Watch } from '../watch/watch.js';
import type { Episode, EpisodeLog } from './episode.js';
import { type EpisodeEvent, type OpenEpisode, resumedEpisodes, stepEpisodes } from './step-episodes.js';

/** Numbers named in the sentence of an end. */
const MAX_NAMED = 3;
/** What a reader asks for first, by name; others follow as they stand. */
const FIRST = [
  'writes-refused',
  'limit-share',
  'waiting',
  'oldest-waited',
  'failed-since',
  'failed-jobs',
  'over-limit',
  'failure-ratio',
];
/** Numbers that were not made worse by the trouble: settings, what was sampled, and what was expected. */
const NOT_A_MEASURE = new Set([
  'suggested-concurrency',
  'slots',
  'limit',
  'keys',
  'queues',
  'workers',
  'full-in',
]);

/** One line of the timeline about a finding. */
export function episodeInWords({ kind, episode, isUnseen }: EpisodeEvent): string {
  const name = `${episode.headline}${placeOfEpisode(episode)}`;
  const number = worstInWords(episode);
  if (kind === 'began') return `${name}.${number ? ` At first: ${number}.` : ''}`;
  if (kind === 'worsened')
    return `${name}: it has become critical.${number ? ` So far at worst: ${number}.` : ''}`;
  const lasted = formatDuration(
    Math.max(0, (episode.endedAtMs ?? episode.lastSeenAtMs) - episode.beganAtMs) / 1000,
  );
  const worst = number ? ` At worst: ${number}.` : '';
  return isUnseen
    ? `${name}: over. It ended while the console was not running; it was last seen after ${lasted}.${worst}`
    : `${name}: over after ${lasted}.${worst}`;
}

/** "112% of the limit, 1,204 jobs waiting"; empty: no numbers are known. */
export function worstInWords({ worst }: Pick<Episode, 'worst'>, most = MAX_NAMED): string {
  return [...worst]
    .filter(({ name, value }) => !NOT_A_MEASURE.has(name) && value !== 0)
    .sort((a, b) => placeIn(a) - placeIn(b))
    .slice(0, most)
    .map(({ label, value, unit }) => `${label} ${formatValue(value, unit)}`)
    .join(', ');
}

function placeIn({ name }: Evidence): number {
  const at = FIRST.indexOf(name);
  return at < 0 ? FIRST.length : at;
}

/** Headlines of before 0.4 do not say of which queue they are. */
export function placeOfEpisode({ queue, headline, queues }: Episode): string {
  if (queue === null || queues.length > 0) return '';
  const name = plainName(queue.startsWith('bull:') ? queue.slice('bull:'.length) : queue);
  return headline.includes(name) || headline.includes('…') ? '' : ` (${name})`;
}

/** Worst numbers and the time at which a finding was last seen are kept this often: as much a kill loses of them. */
const SAVE_EVERY_MS = 10_000;

interface EpisodeKeeperDeps {
  readonly watch: Pick<Watch, 'snapshot' | 'findings' | 'onTick'>;
  readonly episodes: EpisodeLog;
  readonly timeline: Pick<TimelineLog, 'append'>;
  /** Of several consoles on one store, is it this one that records? */
  readonly isLeader: () => boolean;
  readonly now: () => number;
  readonly newId: () => string;
  readonly warn: (message: string) => void;
}

/**
 * Records in the timeline when findings begin, get worse and end, and keeps what was worst of each. Driven by the watcher's
 * ticks; what is open is in the store as well, so a console that restarts, or takes over from another one, does not begin
 * it twice.
 */
export class EpisodeKeeper {
  readonly #deps: EpisodeKeeperDeps;
  #open: readonly OpenEpisode[] = [];
  /** What is open is ours, read from the store when it became so. */
  #isRecording = false;
  #isReading = false;
  #savedAtMs = 0;
  #stop: (() => void) | null = null;
  /** Writes go one after the other, so that an end never overtakes its beginning. */
  #writes: Promise<void> = Promise.resolve();

  constructor(deps: EpisodeKeeperDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    // First, so that a store that can't be read now is tried again at the next tick.
    this.#stop = this.#deps.watch.onTick((instance) => this.#look(instance), 'timeline of findings');
    if (this.#deps.isLeader()) await this.#takeOver();
  }

  /** Keeps what was last seen, and ends. */
  async stop(): Promise<void> {
    this.#stop?.();
    this.#stop = null;
    if (this.#isRecording) this.#saveAll();
    await this.#writes;
  }

  async #takeOver(): Promise<void> {
    this.#isReading = true;
    try {
      this.#open = resumedEpisodes(await this.#deps.episodes.open());
      this.#isRecording = true;
    } finally {
      this.#isReading = false;
    }
  }

  #look(instance: string): void {
    const { watch, now, newId, isLeader } = this.#deps;
    if (!isLeader()) {
      this.#isRecording = false;
      return;
    }
    if (!this.#isRecording) {
      if (!this.#isReading) void this.#takeOver().catch((error: unknown) => this.#fail(error));
      return;
    }
    const snapshot = watch.snapshot(instance);
    if (!snapshot) return;
    const nowMs = now();
    const findings = watch.findings().filter((finding) => finding.instance === instance);
    const isLive = freshnessOf(snapshot, nowMs).isLive;
    const { open, events } = stepEpisodes(this.#open, { instance, findings, isLive, nowMs }, newId);
    this.#open = open;
    for (const event of events) {
      this.#write(() => this.#deps.episodes.save(event.episode));
      this.#write(() => this.#deps.timeline.append(entryOf(event)));
    }
    if (nowMs - this.#savedAtMs < SAVE_EVERY_MS) return;
    this.#savedAtMs = nowMs;
    this.#saveAll();
  }

  #saveAll(): void {
    for (const { episode, life, isUnconfirmed } of this.#open)
      if (!isUnconfirmed && life.state !== 'pending') this.#write(() => this.#deps.episodes.save(episode));
  }

  #write(what: () => Promise<void>): void {
    this.#writes = this.#writes
      // Another console goes on with it, and knows more by now.
      .then(() => (this.#deps.isLeader() ? what() : undefined))
      .catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    const reason = error instanceof Error ? error.message : 'unknown reason';
    this.#deps.warn(`what became of a finding was not kept: ${reason}`);
  }
}

/** Ids are made from the episode's, so that a link to its beginning and its end can be built. */
function entryOf(event: EpisodeEvent): TimelineEntry {
  const { kind, episode, atMs } = event;
  const suffix = { began: '', worsened: '-worse', ended: '-end' }[kind];
  return {
    id: `${episode.id}${suffix}`,
    atMs,
    instance: episode.instance,
    kind: `finding.${kind}`,
    queue: episode.queue,
    worker: null,
    text: episodeInWords(event),
    actor: null,
    severity: kind === 'ended' ? 'info' : episode.severity,
    ref: episode.id,
    ...(kind === 'ended' || episode.cause === '' ? {} : { brief: briefOf(episode) }),
  };
}
