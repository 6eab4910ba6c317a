import type { Snapshot } from '../model/snapshot.js';
import { type WorkHealth, WorkRecord } from '../process/every.js';
import type { RedisClient } from '../redis/connect.js';
import { LeaseLost } from '../store/tables.js';
import type { JobSource, JobWalk } from './job-source.js';
import { countChars, countsForResweep, isSettled, OutcomeRounds, settledChars } from './replay-batch.js';
import { isPassing, problemInWords } from './replay-connections.js';
import { TURNS_PER_SECOND } from './replay-pace.js';
import { hasEnded, type ReplayBatch, type ReplayRecord, type ReplayStore } from './replay-record.js';
import { outcomesOf, ReplayThrottle } from './replay-throttle.js';

/** Longest sleep of the loop: what it waits for is looked at again. */
const NAP_MS = 200;
const NO_REDIS = 'Waiting: Redis does not answer.';
const NO_SOURCE = 'Waiting: what is parked can not be read by this console; its log says why.';
/** So much larger than what falls due in a turn, a batch makes up for time that was lost. */
const BEHIND_TIMES = 1.5;

export type RunEvent = 'started' | 'paused' | 'resumed' | 're-rated' | 'guarded' | 'finished';

/** What a replay that is under way is given. */
export interface RunDeps {
  readonly store: Pick<ReplayStore, 'saveBatches' | 'batchesIn'>;
  /** null: it is about parked jobs, and nothing can be parked here. */
  readonly source: JobSource | null;
  readonly now: () => number;
  /** false: another console is to move jobs now, and this one stops before its next step. */
  readonly isLeader: () => boolean;
  /** A connection of replays that can be used now; null: there is none. */
  readonly client: (instance: string) => RedisClient | null;
  readonly snapshot: (instance: string) => Snapshot | null;
  /** Jobs that replays have put into a queue since the console began. */
  readonly movedTo: (queueId: string) => number;
  readonly noteMoved: (queueId: string, jobs: number) => void;
  /** For the timeline. */
  readonly tell: (kind: RunEvent, record: ReplayRecord, text: string) => void;
}

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
  readonly #source: JobSource | null;
  #walk: JobWalk | null = null;
  #hasUnfinished = true;
  #isStopping = false;
  #wake: () => void = () => undefined;
  #loop: Promise<void> | null = null;
  readonly #rounds: OutcomeRounds;
  #orders: Promise<void> = Promise.resolve();
  #writes: Promise<void> = Promise.resolve();
  /** Why it stands still, where that is not the guard's doing. */
  #waitsFor: string | null = null;
  readonly #steps = new WorkRecord();

  constructor(record: ReplayRecord, deps: RunDeps) {
    this.#record = record;
    this.#deps = deps;
    this.#source = deps.source;
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

  /** Jobs a second that it moves now at most, 0 while it rests or stands; and why: one sentence. */
  get pace(): { readonly perSecond: number; readonly reason: string } {
    const { state, reason } = this.#record;
    return this.#throttle.pace(this.#record, state === 'running' ? this.#waitsFor : reason);
  }

  /** Moves on from where the record stands; returns at once. */
  start(isNewCanary = false): void {
    if (this.#loop !== null || this.#record.state !== 'running') return;
    this.#throttle.begin(this.#record, isNewCanary);
    this.#waitsFor = null;
    this.#loop = this.#work().finally(() => {
      this.#loop = null;
    });
  }

  /** Changes state or rate. Holds as soon as the promise resolves: nothing is moved after that by a paused replay. */
  change(change: RunChange): Promise<void> {
    // One after the other: a pause waits for the loop to stand, which a resume in between would keep going.
    const done = this.#orders.then(() => this.#change(change));
    this.#orders = done.catch(() => undefined);
    return done;
  }

  async #change(change: RunChange): Promise<void> {
    // It may have ended while the order was on its way, and what has ended does not begin again.
    if (hasEnded(this.#record)) return;
    const { ratePerSecond } = change;
    if (ratePerSecond !== undefined) this.#throttle.setRate(ratePerSecond);
    const isResumed = change.state === 'running' && this.#record.state === 'paused';
    if (isResumed) await this.#loop;
    const isEnding = change.state === 'aborted' || change.state === 'done' || change.state === 'failed';
    this.#set({
      ...change,
      ...(isEnding ? { endedAtMs: this.#deps.now() } : {}),
      ...(isResumed ? { canaryFrom: outcomesOf(this.#record) } : {}),
    });
    this.#wake();
    if (this.#record.state !== 'running') await this.#loop;
    await this.#save();
    if (isResumed) this.start(true);
  }

  /** Resolves once nothing moves any more: it has ended, rests, or was stopped. */
  async rests(): Promise<void> {
    await this.#loop;
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

  /** Looks up what has come of moved jobs, a part of them each time. @returns whether any are still to run. */
  async settle(client: RedisClient): Promise<boolean> {
    const { counts } = this.#record;
    const source = this.#source;
    if (source === null || counts.moved === counts.succeeded + counts.failedAgain + counts.gone) return false;
    const changed: ReplayBatch[] = [];
    const before = new Map<number, string>();
    await this.#rounds.turn(async (batch) => {
      const characters = await source.outcomes(client, batch);
      if (characters === batch.characters) return false;
      changed.push({ ...batch, characters, phase: isSettled(characters) ? 'settled' : 'open' });
      before.set(batch.seq, batch.characters);
      return true;
    });
    // Numbers and characters change in one step with the write of both, so that what is on disk always adds up.
    for (const { seq, characters } of changed) {
      this.#set({ counts: countChars(this.#record.counts, before.get(seq) ?? '', characters) });
      if (characters.includes('b') && !hasEnded(this.#record)) this.#set({ needsResweep: true });
    }
    if (changed.length > 0) await this.#save(changed);
    return true;
  }

  get #shouldStop(): boolean {
    return this.#isStopping || this.#record.state !== 'running' || !this.#deps.isLeader();
  }

  /** Writes in the order of the calls, each with the record as it was at its call. */
  #save(batches: readonly ReplayBatch[] = []): Promise<void> {
    const record = this.#record;
    const done = this.#writes.then(() => this.#deps.store.saveBatches(record, batches));
    this.#writes = done.catch(() => undefined);
    return done;
  }

  #set(change: Partial<ReplayRecord>): void {
    this.#record = { ...this.#record, ...change };
  }

  async #work(): Promise<void> {
    while (!this.#shouldStop) {
      try {
        await this.#step();
        if (this.#waitsFor !== NO_REDIS && this.#source !== null) this.#steps.succeeded(this.#deps.now());
      } catch (error) {
        // What was under way may or may not have been done: the batch is tried again, which does nothing twice.
        this.#hasUnfinished = true;
        this.#walk = null;
        // Another goes on with it: what failed here is no end of it.
        if (!this.#deps.isLeader()) return;
        if (!isPassing(error) && !(error instanceof LeaseLost))
          return this.#end('failed', problemInWords(error));
        this.#waitsFor = `Waiting: ${problemInWords(error)}.`;
        this.#steps.failed(error, this.#deps.now());
        await this.#nap(NAP_MS);
      }
    }
  }

  async #step(): Promise<void> {
    const client = this.#deps.client(this.#record.instance);
    if (!client) {
      this.#waitsFor = NO_REDIS;
      this.#steps.failed('Redis does not answer', this.#deps.now());
      return this.#nap(NAP_MS);
    }
    const source = this.#source;
    if (!source) {
      this.#waitsFor = NO_SOURCE;
      this.#steps.failed('what is parked can not be read', this.#deps.now());
      return this.#nap(NAP_MS);
    }
    if (this.#hasUnfinished) return this.#finishMoving(client, source);
    if (this.#record.counts.counted === null) return this.#count(client, source);
    const { most, waitsFor, stop } = this.#throttle.allowance(this.#record);
    this.#waitsFor = waitsFor;
    if (stop !== null) return this.#pauseByGuard(stop);
    if (most <= 0) return this.#nap(NAP_MS / 2);
    const wasSlowed = this.#throttle.isSlowed;
    const due = this.#throttle.due(this.#record, most);
    if (this.#throttle.isSlowed !== wasSlowed) this.#tell('guarded', this.#throttle.reason);
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

  /** A batch is on disk before Redis is asked, with the place of the sweep behind it. */
  async #move(client: RedisClient, source: JobSource, batch: ReplayBatch): Promise<void> {
    const before = this.#record;
    const cursorAt = (count: number): ReplayRecord['cursors'] => {
      const last = batch.jobs[count - 1];
      return last ? { ...before.cursors, [batch.queue]: { id: last[0], score: last[1] } } : before.cursors;
    };
    this.#set({ lastSeq: batch.seq, cursors: cursorAt(batch.jobs.length) });
    await this.#save([batch]);
    const answer = await this.#moveJobs(client, source, batch, () => this.#shouldStop);
    this.#throttle.spend(answer.length);
    // A pause came in between: the rest of the batch was never begun, and is found again when it goes on.
    const isCut = answer.length < batch.jobs.length;
    if (isCut) {
      this.#set({ cursors: cursorAt(answer.length) });
      this.#walk = null;
    }
    const moved = { ...batch, jobs: batch.jobs.slice(0, answer.length) };
    await this.#close(source, moved, settledChars(answer, false));
  }

  /** Moves a batch call by call, so that other clients of Redis get their turn. @returns characters of what was begun. */
  async #moveJobs(
    client: RedisClient,
    source: JobSource,
    batch: ReplayBatch,
    shouldStop: () => boolean,
  ): Promise<string> {
    const isLate = batch.jobs.length > (BEHIND_TIMES * this.#record.ratePerSecond) / TURNS_PER_SECOND;
    let characters = '';
    while (characters.length < batch.jobs.length && !shouldStop())
      characters += await source.move(
        client,
        { ...batch, jobs: batch.jobs.slice(characters.length) },
        isLate,
      );
    return characters;
  }

  async #close(source: JobSource, batch: ReplayBatch, characters: string): Promise<void> {
    const before = this.#record.counts.moved;
    this.#set({ counts: countChars(this.#record.counts, '', characters) });
    this.#deps.noteMoved(batch.queue, this.#record.counts.moved - before);
    this.#throttle.noteMoved(this.#record);
    await this.#save([{ ...batch, characters, phase: isSettled(characters) ? 'settled' : 'open' }]);
    await source.settled(batch.seq);
  }

  /** Batches whose end is not known are asked for again under their own number: the script does nothing twice. */
  async #finishMoving(client: RedisClient, source: JobSource): Promise<void> {
    const [batch] = await this.#deps.store.batchesIn(this.#record.id, 'moving', 0, 1);
    if (!batch) {
      this.#hasUnfinished = false;
      this.#waitsFor = null;
      return;
    }
    const answer = await this.#moveJobs(client, source, batch, () => false);
    await this.#close(source, batch, settledChars(answer, true));
  }

  async #count(client: RedisClient, source: JobSource): Promise<void> {
    this.#waitsFor = 'Counting what matches.';
    const counted = await source.count(client, () => this.#shouldStop);
    this.#waitsFor = null;
    if (counted === null) return;
    this.#set({ counts: { ...this.#record.counts, counted } });
    await this.#save();
  }

  async #pauseByGuard(why: string): Promise<void> {
    const reason = `Paused by the guard: ${why}. Find out why, then resume or abort it.`;
    this.#set({ state: 'paused', pausedBy: 'guard', reason });
    await this.#save().catch(() => undefined);
    this.#tell('guarded', reason);
  }

  async #sweepEnded(): Promise<void> {
    if (this.#record.needsResweep) {
      this.#set({ needsResweep: false, cursors: {}, counts: countsForResweep(this.#record.counts) });
      this.#walk = null;
      return this.#save();
    }
    this.#set({ isSwept: true });
    await this.#end('done', 'Every job of the range has had its turn.');
  }

  async #end(state: 'done' | 'failed', reason: string): Promise<void> {
    this.#set({ state, reason, endedAtMs: this.#deps.now() });
    // A disk that takes nothing may be why it ends: then it goes on from what is on it at the next start.
    await this.#save().catch(() => undefined);
    this.#tell('finished', reason);
  }

  #tell(kind: RunEvent, text: string): void {
    this.#deps.tell(kind, this.#record, text);
  }

  #nap(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
