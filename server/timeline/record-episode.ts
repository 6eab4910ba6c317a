import type { Evidence } from '../model/evidence.js';
import { formatDuration, formatValue } from '../model/format.js';
import { plainName } from '../model/words.js';
import type { Episode } from './episode.js';
import type { EpisodeEvent } from './step-episodes.js';

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
/** Numbers that were not made worse by the trouble: settings, and what was sampled. */
const NOT_A_MEASURE = new Set(['suggested-concurrency', 'slots', 'limit', 'keys', 'queues', 'workers']);

/** One line of the timeline about a finding. */
export function episodeInWords({ kind, episode, isUnseen }: EpisodeEvent): string {
  const name = `${episode.title}${placeOf(episode)}`;
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
export function worstInWords({ worst }: Pick<Episode, 'worst'>): string {
  return [...worst]
    .filter(({ name, value }) => !NOT_A_MEASURE.has(name) && value !== 0)
    .sort((a, b) => placeIn(a) - placeIn(b))
    .slice(0, MAX_NAMED)
    .map(({ label, value, unit }) => `${label} ${formatValue(value, unit)}`)
    .join(', ');
}

function placeIn({ name }: Evidence): number {
  const at = FIRST.indexOf(name);
  return at < 0 ? FIRST.length : at;
}

/** A title alone does not say of which queue it is; most titles of a Redis do. */
function placeOf({ queue, title, queues }: Episode): string {
  if (queue === null || queues.length > 0) return '';
  const name = plainName(queue.startsWith('bull:') ? queue.slice('bull:'.length) : queue);
  return title.includes(name) ? '' : ` (${name})`;
}
