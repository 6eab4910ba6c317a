import type { FC } from 'hono/jsx';
import { Icon } from './icon.js';

interface BlindRedis {
  readonly name: string;
  /** When it was last read; the script counts on from it. null: never. */
  readonly lastReadAtMs: number | null;
  readonly age: string;
  readonly problem: string;
}

export interface BlindProps {
  /** Redises that can't be seen now. None: the banner is not there. */
  readonly redises: readonly BlindRedis[];
  readonly isAll: boolean;
}

/** Across the whole page: what is shown is not live, since when, and why. */
export const BlindBanner: FC<BlindProps> = ({ redises, isAll }) => (
  <div id="blind" class={isAll ? 'blind is-all' : 'blind'}>
    {redises.map((redis) => (
      <p class="blind-line">
        <Icon name="blind" />{' '}
        <strong>
          Blind: Redis {redis.name}{' '}
          {redis.lastReadAtMs === null ? (
            'has not been seen yet'
          ) : (
            <>
              was last seen <span data-age-since={String(redis.lastReadAtMs)}>{redis.age}</span> ago
            </>
          )}
          .
        </strong>{' '}
        <span class="blind-why">
          {redis.problem} Numbers of it are not live, and actions will be refused.
        </span>
      </p>
    ))}
  </div>
);
