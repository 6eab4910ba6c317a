import type { FC } from 'hono/jsx';
import { briefDuration } from '../server/model/brief.js';
import { formatBytes, formatCount } from '../server/model/format.js';
import type { Acted, RedisNode } from '../server/model/snapshot.js';
import { Icon } from './icon.js';
import { RemedyButton, type RemedyProps } from './remedy.js';

export interface WatchProps {
  /** Where it is asked for again; null: it has been watched long enough. */
  readonly url: string | null;
  /** The master that is nearest to its limit; null: not known now. */
  readonly node: RedisNode | null;
  /** Until that one is full at the growth that is expected; null: it is not, or that is not known. */
  readonly lastsSeconds: number | null;
  /** Jobs that wait now, and that waited when it was applied (null: before is not known). null: neither is. */
  readonly waiting: { readonly before: number | null; readonly now: number } | null;
  /** It was done a moment ago: what is found is of before. */
  readonly isSettling: boolean;
  /** What is found there still, the worst; null: nothing. */
  readonly trouble: string | null;
  readonly next: RemedyProps | null;
}

/** What goes on after an action: are writes accepted, how much has drained, what is next. */
export const ActionWatch: FC<WatchProps> = ({
  url,
  node,
  lastsSeconds,
  waiting,
  isSettling,
  trouble,
  next,
}) => (
  <section
    id="action-watch"
    class="action-watch"
    aria-label="What goes on"
    {...(url === null
      ? {}
      : { 'hx-get': url, 'hx-trigger': 'every 2s', 'hx-target': 'this', 'hx-swap': 'outerMorph' })}
  >
    <ul class="watch-lines">
      {node === null ? null : (
        <li class={node.isFull ? 'state-critical' : 'state-calm'}>
          <span class="state-icon">
            <Icon name={node.isFull ? 'critical' : 'calm'} />
          </span>{' '}
          {node.isFull ? 'Writes are refused' : 'Writes accepted'}
          {node.limit ? `, ${formatBytes(Math.max(0, node.limit.bytes - node.countedBytes))} free` : ''}
          {lastsSeconds === null || node.isFull
            ? ''
            : `, full in ${briefDuration(lastsSeconds)} at this growth`}
        </li>
      )}
      {waiting === null ? null : (
        <li>
          {waiting.before !== null && waiting.now < waiting.before ? (
            <progress
              max={waiting.before}
              value={waiting.before - waiting.now}
              aria-label="Share that has drained"
            />
          ) : null}{' '}
          {drainedInWords(waiting)}
        </li>
      )}
      <li>
        {isSettling ? 'What is left is known in some seconds.' : (trouble ?? 'Nothing wrong here any more.')}
      </li>
    </ul>
    {next === null ? null : (
      <>
        <p class="preview-first">Next:</p>
        <ul class="remedies">
          <RemedyButton {...next} isFirst />
        </ul>
      </>
    )}
  </section>
);

function drainedInWords({ before, now }: { readonly before: number | null; readonly now: number }): string {
  if (before === null || before <= 0) return `${formatCount(now)} wait`;
  if (now === before) return `${formatCount(now)} wait, none drained yet`;
  return now < before
    ? `${formatCount(before - now)} of ${formatCount(before)} drained`
    : `${formatCount(now)} wait, ${formatCount(now - before)} more than when this was done`;
}

/** Steps that are done so far, while those that follow are under way; empty before. */
export const ActionProgress: FC<{ readonly url: string; readonly done: readonly Acted[] }> = ({
  url,
  done,
}) => (
  <p
    id="action-progress"
    class="hint"
    role="status"
    hx-get={url}
    hx-trigger="every 1s"
    hx-target="this"
    hx-swap="outerMorph"
  >
    {done.length === 0
      ? ''
      : `Done so far: ${done.map(({ action, freedBytes }) => `${action}${freedBytes === null ? '' : ` (${formatBytes(freedBytes)})`}`).join(', ')}`}
  </p>
);
