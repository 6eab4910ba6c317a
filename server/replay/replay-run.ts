import { hasEnded, type ReplayBatch, type ReplayRecord, type ReplayView } from '../model/replay.js';
import type { Snapshot } from '../model/snapshot.js';
import { oneAtATime, type WorkHealth, WorkRecord } from '../process/every.js';
import type { RedisClient } from '../redis/connect.js';
import { LeaseLost } from '../store/database.js';
import type { JobSource, JobWalk } from './job-source.js';
import type { MovedJobs } from './load-sample.js';
import { countChars, countsForResweep, OutcomeRounds, settledBatch, settledChars } from './replay-batch.js';
import { isPassing, problemInWords } from './replay-connections.js';
import { TURNS_PER_SECOND } from './replay-pace.js';
import type { ReplayStore } from './replay-store.js';
import { outcomesOf, ReplayThrottle } from './replay-throttle.js';
import { MovedRate, viewOfReplay } from './replay-view.js';

/** Longest sleep of the loop: what it waits for is looked at again. */
const NAP_MS = 200;
/** So much larger than what falls due in a turn, a batch makes up for time that was lost. */
const BEHIND_TIMES = 1.5;

export type RunEvent = 'started' | 'paused' | 'resumed' | 're-rated' | 'guarded' | 'finished';

/** What a replay that is under way is given. */
interface RunDeps {
  readonly store: Pick<ReplayStore, 'saveBatches' | 'batchesIn'>;
  /** null: it is about parked jobs, and nothing can be parked here. */
  readonly source: JobSource | null;
  readonly now: () => number;
  /** false: another console is to move jobs now, and this one stops before its next step. */
  readonly isLeader: () => boolean;
  /** A connection of replays that can be used now; null: there is none. */
  readonly client: (instance: string) => RedisClient | null;
  readonly snapshot: (instance: string) => Snapshot | null;
  readonly moved: MovedJobs;
  /** For the timeline. */
  readonly recordEvent: (kind: RunEvent, record: ReplayRecord, text: string) => void;
}

/** What it needs is not there: waited for. */
class NotNow extends Error {}

export type RunChange = Partial<
  Pick<ReplayRecord, 'state' | 'pausedBy' | 'ratePerSecond' | 'spec' | 'reason'>
>;

/**
 * One replay that is under way: see replay-record.ts for its states. A single loop moves; orders of people only set what
 * it reads at its next step, at most one call of the script later, and wake it.
 */
export class ReplayRun {
  #record: ReplayRecord;
  readonly #deps: RunDeps;
  readonly #throttle: ReplayThrottle;
  #walk: JobWalk | null = null;
  #hasUnfinished = true;
  #isStopping = false;
  #wake: () => void = () => undefined;
  #loop: Promise<void> | null = null;
  readonly #rounds: OutcomeRounds;
  readonly #inTurn = oneAtATime();
  /** Why it stands still, where that is not the guard's doing. */
  #waitsFor: string | null = null;
  readonly #steps = new WorkRecord();
  readonly #rate = new MovedRate();

  constructor(record: ReplayRecord, deps: RunDeps) {
    this.#record = record;
    this.#deps = deps;
    this.#throttle = new ReplayThrottle(record, deps);
    this.#rounds = new OutcomeRounds((afterSeq, most) =>
      deps.store.batchesIn(record.id, 'open', afterSeq, most),
    );
  }

  get record(): ReplayRecord {
    return this.#record;
  }

  /** How its steps go, while it is under way. */
  get health(): WorkHealth {
    return this.#steps.health;
  }

  /** As it is now; see noteRate. */
  get view(): ReplayView {
    const record = this.#record;
    const isRunning = record.state === 'running';
    const { perSecond, reason } = this.#throttle.pace(record, isRunning ? this.#waitsFor : record.reason);
    return viewOfReplay(record, isRunning ? this.#rate.perSecond : 0, perSecond, reason);
  }

  /** Moves on from where the record stands. Resolves once nothing moves any more: it has ended, rests, or was stopped. */
  async start(isNewCanary = false): Promise<void> {
    if (this.#loop !== null || this.#record.state !== 'running') return;
    this.#throttle.begin(this.#record, isNewCanary);
    this.#waitsFor = null;
    this.#loop = this.#work().finally(() => {
      this.#loop = null;
    });
    await this.#loop;
  }

  /** Changes state or rate. Holds as soon as the promise resolves: nothing is moved after that by a paused replay. */
  change(change: RunChange): Promise<void> {
    // One after the other: a pause waits for the loop to stand, which a resume in between would keep going.
    return this.#inTurn('orders', () => this.#change(change));
  }

  async #change(change: RunChange): Promise<void> {
    // It may have ended while the order was on its way, and what has ended does not begin again.
    if (hasEnded(this.#record)) return;
    if (change.ratePerSecond !== undefined) this.#throttle.setRate(change.ratePerSecond);
    const isResumed = change.state === 'running' && this.#record.state === 'paused';
    if (isResumed) await this.#loop;
    this.#set({
      ...change,
      ...(change.state === 'aborted' ? { endedAtMs: this.#deps.now() } : {}),
      ...(isResumed ? { canaryFrom: outcomesOf(this.#record) } : {}),
    });
    this.#wake();
    if (this.#record.state !== 'running') await this.#loop;
    await this.#save();
    if (isResumed) void this.start(true);
  }

  /** Ends the loop without a change of state: the console stops, and goes on with it when it starts again. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#wake();
    await this.#loop;
  }

  /** Redis has broken off: what it had confirmed may be lost there. */
  noteBreak(): void {
    if (!hasEnded(this.#record)) this.#set({ needsResweep: true });
  }

  /** To be called several times a second: how fast it goes is worked out from it. */
  noteRate(): void {
    this.#rate.note(this.#deps.now(), this.#record.counts.moved);
  }

  /** Looks up what has come of moved jobs, a part of them each time. */
  async settle(client: RedisClient): Promise<void> {
    const { counts } = this.#record;
    const { source } = this.#deps;
    if (source === null || counts.moved === counts.succeeded + counts.failedAgain + counts.gone) return;
    const changed: { readonly batch: ReplayBatch; readonly before: string }[] = [];
    await this.#rounds.turn(async (batch) => {
      const characters = await source.outcomes(client, batch);
      if (characters === batch.characters) return false;
      changed.push({ batch: settledBatch(batch, characters), before: batch.characters });
      return true;
    });
    // Numbers and characters change in one step with the write of both, so that what is on disk always adds up.
    for (const { batch, before } of changed) {
      const { characters } = batch;
      this.#set({ counts: countChars(this.#record.counts, before, characters) });
      if (characters.includes('b') && !hasEnded(this.#record)) this.#set({ needsResweep: true });
    }
    if (changed.length > 0) await this.#save(changed.map(({ batch }) => batch));
  }

  get #shouldStop(): boolean {
    return this.#isStopping || this.#record.state !== 'running' || !this.#deps.isLeader();
  }

  /** Writes in the order of the calls, each with the record as it was at its call. */
  #save(batches: readonly ReplayBatch[] = []): Promise<void> {
    const record = this.#record;
    return this.#inTurn('writes', () => this.#deps.store.saveBatches(record, batches));
  }

  #set(change: Partial<ReplayRecord>): void {
    this.#record = { ...this.#record, ...change };
  }

  async #work(): Promise<void> {
    while (!this.#shouldStop) {
      try {
        await this.#step();
        this.#steps.succeeded(this.#deps.now());
      } catch (error) {
        // What was under way may or may not have been done: the batch is tried again, which does nothing twice.
        this.#hasUnfinished = true;
        this.#walk = null;
        // Another goes on with it: what failed here is no end of it.
        if (!this.#deps.isLeader()) return;
        if (!isPassing(error) && !(error instanceof LeaseLost || error instanceof NotNow))
          return this.#rest('finished', { state: 'failed', reason: problemInWords(error) });
        this.#waitsFor = `Waiting: ${problemInWords(error)}.`;
        this.#steps.failed(error, this.#deps.now());
        await this.#nap(NAP_MS);
      }
    }
  }

  async #step(): Promise<void> {
    const client = this.#deps.client(this.#record.instance);
    if (!client) throw new NotNow('Redis does not answer');
    const { source } = this.#deps;
    if (!source) throw new NotNow('what is parked can not be read by this console; its log says why');
    if (this.#hasUnfinished) {
      // A batch whose end is not known is asked for again under its own number: that does nothing twice.
      const [batch] = await this.#deps.store.batchesIn(this.#record.id, 'moving', 0, 1);
      if (batch) return this.#move(client, source, batch, true);
      this.#hasUnfinished = false;
    }
    if (this.#record.counts.counted === null) return this.#count(client, source);
    const { most, waitsFor, stop } = this.#throttle.allowance(this.#record);
    this.#waitsFor = waitsFor;
    if (stop !== null) {
      const reason = `Paused by auto-throttle: ${stop}. Find out why, then resume or abort it.`;
      return this.#rest('guarded', { state: 'paused', pausedBy: 'guard', reason });
    }
    if (most <= 0) return this.#nap(NAP_MS / 2);
    const wasSlowed = this.#throttle.isSlowed;
    const due = this.#throttle.due(this.#record, most);
    if (this.#throttle.isSlowed !== wasSlowed)
      this.#deps.recordEvent('guarded', this.#record, this.#throttle.reason);
    if (due.jobs === 0) return this.#nap(Math.min(NAP_MS, due.waitMs));
    this.#walk ??= source.walk(this.#record.cursors, () => this.#shouldStop);
    const found = await this.#walk.next(client, due.jobs);
    if (this.#shouldStop) return;
    if (found === null) return this.#sweepEnded();
    await this.#move(client, source, {
      replay: this.#record.id,
      seq: this.#record.lastSeq + 1,
      phase: 'moving',
      queue: found.queue,
      jobs: found.jobs.map(({ id, score }) => [id, score] as const),
      characters: '',
    });
  }

  /**
   * A batch is on disk before Redis is asked, with the place of the sweep behind it; it is moved call by call, so that other
   * clients of Redis get their turn.
   * @param isRetry it is on disk and its end is not known.
   */
  async #move(client: RedisClient, source: JobSource, batch: ReplayBatch, isRetry = false): Promise<void> {
    const { cursors } = this.#record;
    const cursorsAt = (count: number): ReplayRecord['cursors'] => {
      const last = batch.jobs[count - 1];
      return last ? { ...cursors, [batch.queue]: { id: last[0], score: last[1] } } : cursors;
    };
    if (!isRetry) {
      this.#set({ lastSeq: batch.seq, cursors: cursorsAt(batch.jobs.length) });
      await this.#save([batch]);
    }
    const isLate = batch.jobs.length > (BEHIND_TIMES * this.#record.ratePerSecond) / TURNS_PER_SECOND;
    let answer = '';
    while (answer.length < batch.jobs.length && (isRetry || !this.#shouldStop))
      answer += await source.move(client, { ...batch, jobs: batch.jobs.slice(answer.length) }, isLate);
    if (!isRetry) this.#throttle.spend(answer.length);
    // A pause came in between: the rest of the batch was never begun, and is found again when it goes on.
    if (answer.length < batch.jobs.length) {
      this.#set({ cursors: cursorsAt(answer.length) });
      this.#walk = null;
    }
    const characters = settledChars(answer, isRetry);
    const before = this.#record.counts.moved;
    this.#set({ counts: countChars(this.#record.counts, '', characters) });
    this.#deps.moved.note(this.#record.instance, batch.queue, this.#record.counts.moved - before);
    this.#throttle.noteMoved(this.#record);
    await this.#save([settledBatch({ ...batch, jobs: batch.jobs.slice(0, answer.length) }, characters)]);
    await source.settled(batch.seq);
  }

  async #count(client: RedisClient, source: JobSource): Promise<void> {
    this.#waitsFor = 'Counting what matches.';
    const counted = await source.count(client, () => this.#shouldStop);
    this.#waitsFor = null;
    if (counted === null) return;
    this.#set({ counts: { ...this.#record.counts, counted } });
    await this.#save();
  }

  async #sweepEnded(): Promise<void> {
    if (this.#record.needsResweep) {
      this.#set({ needsResweep: false, cursors: {}, counts: countsForResweep(this.#record.counts) });
      this.#walk = null;
      return this.#save();
    }
    const reason = 'Every job of the range has had its turn.';
    await this.#rest('finished', { state: 'done', isSwept: true, reason });
  }

  /** A disk that takes nothing may be why: then it goes on from what is on it at the next start. */
  async #rest(event: RunEvent, change: Partial<ReplayRecord> & { readonly reason: string }): Promise<void> {
    this.#set({ ...change, ...(event === 'finished' ? { endedAtMs: this.#deps.now() } : {}) });
    await this.#save().catch(() => undefined);
    this.#deps.recordEvent(event, this.#record, change.reason);
  }

  #nap(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, ms);
    });
  }
}
