import type { FC } from 'hono/jsx';
import type { ErrorGroup as Group } from '../server/model/error-group.js';
import { formatThings } from '../server/model/format.js';
import { Time } from './time.js';
import { moment } from './words.js';

export interface ErrorGroupRow extends Group {
  /** The newest job that failed so. */
  readonly jobHref: string;
  /** The form that brings back those that failed so; null: this role may not. */
  readonly replayHref: string | null;
}

const MAX_GROUPS = 10;

/** With what jobs failed, the most frequent first: of the newest failed jobs, as they were when the page was opened. */
export const ErrorGroups: FC<{ readonly groups: readonly ErrorGroupRow[]; readonly nowMs: number }> = ({
  groups,
  nowMs,
}) =>
  groups.length === 0 ? null : (
    <section class="jobs" aria-labelledby="errors-title">
      <h2 id="errors-title">Errors of the newest failed jobs</h2>
      <ul class="error-groups">
        {groups.slice(0, MAX_GROUPS).map((group) => (
          <li class="panel">
            <p class="reason">{group.error}</p>
            <p class="muted">
              {formatThings(group.count, 'job')}
              {group.firstAtMs === null || group.lastAtMs === null ? null : (
                <>
                  {', '}
                  {group.count > 1 ? (
                    <>
                      <Time {...moment(group.firstAtMs, nowMs)} /> to{' '}
                    </>
                  ) : null}
                  <Time {...moment(group.lastAtMs, nowMs)} />
                </>
              )}{' '}
              · <a href={group.jobHref}>Newest job</a>
              {group.replayHref === null ? null : (
                <>
                  {' '}
                  · <a href={group.replayHref}>Replay this error</a>
                </>
              )}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
