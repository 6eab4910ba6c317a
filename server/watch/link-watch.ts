import { attendedMs, type SelfDelay } from '../model/self-delay.js';
import { judgeLink, type LinkState, type LinkStatus } from '../model/sight.js';
import type { RedisLink } from '../redis/link.js';
import { redisBack, silenceInWords, unreachableEvent } from './connection-events.js';
import type { FleetEvent } from './fleet.js';

/** A read that takes longer is given up; the connection is dropped, as it may be half open. */
export const READ_TIMEOUT_MS = 2_500;
/** A connection that fails when the console has been held up for so long fails by that, as far as is known yet. */
const HELD_UP_MS = 1_000;

interface LinkWatchDeps {
  /** Of the instance, for the log. */
  readonly name: string;
  readonly now: () => number;
  readonly self: () => SelfDelay;
  readonly log: { info(message: string): void; warn(message: string): void };
  readonly report: (event: FleetEvent) => void;
}

/** How the console stands towards one Redis, and since when. */
export class LinkWatch {
  /** When the last complete read ended; null before the first. */
  lastReadAtMs: number | null = null;
  readonly #link: RedisLink;
  readonly #deps: LinkWatchDeps;
  readonly #startedAtMs: number;
  #status: LinkStatus = 'connecting';
  #sinceMs: number;
  #hasReportedOutage = false;

  constructor(link: RedisLink, deps: LinkWatchDeps) {
    this.#link = link;
    this.#deps = deps;
    this.#startedAtMs = deps.now();
    this.#sinceMs = this.#startedAtMs;
  }

  /**
   * As it is at this moment. Changes nothing, whoever asks.
   * @param intervalMs how often it is read at present.
   */
  status(nowMs: number, intervalMs: number): LinkStatus {
    const self = this.#deps.self();
    const sinceMs = this.lastReadAtMs ?? this.#startedAtMs;
    const heldUpMs = nowMs - sinceMs - attendedMs(self, sinceMs, nowMs);
    return judgeLink({
      nowMs,
      startedAtMs: this.#startedAtMs,
      lastReadAtMs: this.lastReadAtMs,
      intervalMs,
      readTimeoutMs: READ_TIMEOUT_MS,
      attendedMs: (fromMs, toMs) => attendedMs(self, fromMs, toMs),
      // Timers of the connection too find their time over before what came meanwhile is read.
      hasProblem: this.#link.problem !== null && heldUpMs < HELD_UP_MS,
      isReady: this.#link.isReady,
    });
  }

  /** What is shown of it with this status. Changes nothing. */
  state(status: LinkStatus, nowMs: number): LinkState {
    const { address, topology, loading } = this.#link;
    return {
      status,
      problem: status === 'live' ? null : this.#problem(status),
      loading: status === 'live' ? null : loading,
      lastReadAtMs: this.lastReadAtMs,
      sinceMs: status === this.#status ? this.#sinceMs : nowMs,
      address,
      topology,
    };
  }

  /** Once a tick: one line where sight was lost and one where it is back, however often it was tried in between. */
  note(status: LinkStatus, nowMs: number): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#sinceMs = nowMs;
    const { name, log, report } = this.#deps;
    if (status === 'live') {
      if (this.#hasReportedOutage) report(redisBack(this.#link.address));
      this.#hasReportedOutage = false;
      log.info(`${name}: reading Redis at ${this.#link.address}`);
    } else if (status !== 'connecting' && !this.#hasReportedOutage) {
      this.#hasReportedOutage = true;
      const problem = this.#problem(status);
      log.warn(`${name}: ${problem}; the console keeps trying`);
      report(unreachableEvent(problem));
    }
  }

  #problem(status: LinkStatus): string {
    return this.#link.problem ?? silenceInWords(status, this.#link.address);
  }
}
