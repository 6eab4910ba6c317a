import type { NodeMemory } from '../model/memory.js';
import type { RedisNode, UnreadNode, Unsaved } from '../model/snapshot.js';
import { Discovery } from '../redis/discover.js';
import type { MasterNode } from '../redis/link.js';
import { OwnCost } from '../redis/own-cost.js';
import { memoryLimit, parseInfo, parsePairs, readServer } from '../redis/read-server.js';
import { type CpuBudget, credit, debit, grant, hasFirstCredit, newBudget } from './cpu-budget.js';
import { type ExpectedGrowth, expectGrowth } from './expect-growth.js';
import { forecastMemory, type MemoryPoint } from './memory-forecast.js';

/** Two minutes at one a second: what a forecast of the next minutes is made from. */
const MAX_POINTS = 120;
/** Ticks in a row without an answer, until what was read before is no longer shown as what is so. */
const UNREAD_AFTER = 2;

/** One Redis process as it is watched: the past that rates and forecasts need. */
export class WatchedNode {
  readonly id: string;
  readonly #address: string;
  readonly #cost = new OwnCost();
  #points: MemoryPoint[] = [];
  #growth: ExpectedGrowth | null = null;
  #last: {
    atMs: number;
    refused: number | null;
    unsaved: number | null;
    evicted: number;
    runId: string;
    replicationId: string;
    role: string;
    flushes: number;
  } | null = null;
  #cgroupBytes: number | null = null;
  #memory: NodeMemory | null = null;
  readonly #budgetRatio: number;
  #budget: CpuBudget;
  #creditedAtMs: number | null = null;
  #othersRatio = 0;
  /** What the regular reads cost, smoothed, 0..1 of a core: the pace of reading follows it. */
  regularCpuRatio = 0;
  /** µs of Redis that looks which can wait may still cost in this tick. */
  leftUsec = 0;
  /** Of that: what is there in every tick, without the credit of the first look. */
  incomeUsec = 0;
  state: RedisNode | null = null;

  /** @param budgetRatio what the console may cost it, 0..1 of a core. */
  constructor(id: string, address: string, budgetRatio: number) {
    this.id = id;
    this.#address = address;
    this.#budgetRatio = budgetRatio;
    this.#budget = newBudget(budgetRatio);
  }

  /** Process id of the last read, for finding its cgroup; null before the first. */
  processId: number | null = null;

  /** At the last read: FLUSHALL or FLUSHDB was run since the one before, or all data were taken from another master. */
  hasFlushed = false;
  #missed = 0;

  /** It belongs to the Cluster and did not answer in this tick. */
  miss(): void {
    this.#missed += 1;
  }

  get isUnread(): boolean {
    return this.#missed >= UNREAD_AFTER;
  }

  /** null: it is known, or never was. */
  get unread(): UnreadNode | null {
    if (!this.isUnread || !this.state) return null;
    return { last: this.state, problem: `the master at ${this.#address} does not answer` };
  }

  setMemory(memory: NodeMemory): void {
    this.#memory = memory;
    if (this.state) this.state = { ...this.state, memory };
  }

  setCgroupLimit(bytes: number | null): void {
    this.#cgroupBytes = bytes;
  }

  count(calls: ReadonlyMap<string, number>): void {
    this.#cost.count(calls);
  }

  /** Counts what was sent for a look that can wait, and takes it from what is left. */
  pay(calls: ReadonlyMap<string, number>): void {
    this.#cost.count(calls, true);
    const usec = this.#cost.usecOf(calls);
    this.#budget = debit(this.#budget, usec);
    this.leftUsec -= usec;
  }

  /** What such commands have cost Redis lately, µs. */
  usecOf(calls: ReadonlyMap<string, number>): number {
    return this.#cost.usecOf(calls);
  }

  /** Nearly everything is new to the console yet, and it has a credit to look at it. */
  get isFirstLook(): boolean {
    return hasFirstCredit(this.#budget, this.#budgetRatio);
  }

  /** So many queues were found: there is as much to look at as when a console is opened. */
  grant(queues: number): void {
    this.#budget = grant(this.#budget, queues, this.#budgetRatio);
  }

  /**
   * Begins a tick's account of what can wait.
   * @returns ms since the tick before.
   */
  beginTick(nowMs: number, intervalMs: number): number {
    const elapsedMs = nowMs - (this.#creditedAtMs ?? nowMs - intervalMs);
    const { budget, allowanceUsec, incomeUsec } = credit(this.#budget, {
      elapsedMs,
      budgetRatio: this.#budgetRatio,
      regularRatio: this.regularCpuRatio,
      othersRatio: this.#othersRatio,
    });
    this.#creditedAtMs = nowMs;
    this.#budget = budget;
    this.leftUsec = allowanceUsec;
    this.incomeUsec = incomeUsec;
    return elapsedMs;
  }

  /**
   * Takes in one INFO answer.
   * @param refusal what Redis said to the PING before it; null: it answered.
   * @returns true where the process or its role is another than before: a restart or failover, after which the past
   * says nothing about the present.
   */
  take(infoText: string, nowMs: number, outputBytes: number | null, refusal: string | null): boolean {
    this.#missed = 0;
    const info = parseInfo(infoText);
    const reading = readServer(info);
    const last = this.#last;
    const isAnother = last !== null && (last.runId !== reading.runId || last.role !== reading.role);
    const flushes = flushesOf(info);
    // A replica that was given another master has that one's data now, in the same process.
    const hasOtherData =
      last !== null && last.replicationId !== (info.master_replid ?? '') && reading.role === 'replica';
    this.hasFlushed = last !== null && !isAnother && (flushes > last.flushes || hasOtherData);
    if (isAnother) [this.#points, this.#growth] = [[], null];
    const before = isAnother ? null : last;
    const seconds = before ? (nowMs - before.atMs) / 1000 : 0;
    const perSecond = (now: number, then: number): number =>
      seconds > 0 ? Math.max(0, now - then) / seconds : 0;
    const share = this.#cost.read(info, nowMs);
    if (share) {
      this.#othersRatio = Math.max(0, share.cpuRatio - share.ownCpuRatio);
      this.regularCpuRatio = smoothed(this.regularCpuRatio, share.regularCpuRatio);
    }
    const limit = memoryLimit(reading, this.#cgroupBytes);
    this.#points.push({ atMs: nowMs, countedBytes: reading.countedBytes });
    if (this.#points.length > MAX_POINTS) this.#points.shift();
    const refusedPerSecond =
      reading.refusedTotal === null
        ? null
        : before
          ? perSecond(reading.refusedTotal, before.refused ?? 0)
          : 0;
    const isOver = reading.maxBytes > 0 && reading.countedBytes >= reading.maxBytes;
    // At the very edge refusals come and go with client buffers: a refusal in the last second counts as full.
    const isFull =
      reading.policy === 'noeviction' && reading.maxBytes > 0 && (isOver || (refusedPerSecond ?? 0) > 0);
    const forecast = forecastMemory(this.#points, limit?.bytes ?? null);
    const growth = forecast?.growthBytesPerSecond ?? null;
    this.#growth = expectGrowth(this.#growth, { isFull, growth, atMs: nowMs });
    this.processId = reading.processId;
    const { processId: _processId, refusedTotal: _refusedTotal, unsavedTotal, ...plain } = reading;
    const hasRefused = unsavedTotal === null || (before !== null && unsavedTotal > (before.unsaved ?? 0));
    this.state = {
      ...plain,
      id: this.id,
      address: this.#address,
      readAtMs: nowMs,
      limit,
      usedRatio: limit ? reading.countedBytes / limit.bytes : null,
      forecast,
      expectedGrowthBytesPerSecond: this.#growth.bytesPerSecond,
      isFull,
      refusedPerSecond,
      unsaved: unsavedOf(refusal, hasRefused ? nowMs : (this.state?.unsaved?.refusedAtMs ?? null)),
      evictedPerSecond: before ? perSecond(reading.evictedKeys, before.evicted) : 0,
      clientOutputBytes: outputBytes ?? reading.clientOutputBytes,
      memory: this.#memory,
      cpuRatio: share?.cpuRatio ?? this.state?.cpuRatio ?? 0,
      ownCpuRatio: smoothed(this.state?.ownCpuRatio, share?.ownCpuRatio),
    };
    this.#last = {
      atMs: nowMs,
      refused: reading.refusedTotal,
      unsaved: unsavedTotal,
      evicted: reading.evictedKeys,
      runId: reading.runId,
      replicationId: info.master_replid ?? '',
      flushes,
      role: reading.role,
    };
    return isAnother;
  }
}

function unsavedOf(refusal: string | null, refusedAtMs: number | null): Unsaved | null {
  if (!refusal?.startsWith('MISCONF')) return null;
  return { what: /\bAOF\b/.test(refusal) ? 'append-only file' : 'snapshot', refusedAtMs };
}

/** How often FLUSHALL and FLUSHDB were run. */
function flushesOf(info: Readonly<Record<string, string>>): number {
  return ['cmdstat_flushall', 'cmdstat_flushdb'].reduce(
    (sum, name) => sum + Number(parsePairs(info[name]).calls ?? 0),
    0,
  );
}

/** One costly tick (a pass of discovery, say) is no trend. */
function smoothed(before: number | undefined, now: number | undefined): number {
  if (now === undefined) return before ?? 0;
  return before === undefined ? now : before * 0.7 + now * 0.3;
}

/** The masters of one Redis: one, unless it is a Cluster. Each with the walk over its keys. */
export class WatchedNodes {
  readonly #budgetRatio: number;
  readonly #nodes = new Map<string, { readonly node: WatchedNode; readonly discovery: Discovery }>();

  /** @param budgetRatio what the console may cost each, 0..1 of a core. */
  constructor(budgetRatio: number) {
    this.#budgetRatio = budgetRatio;
  }

  /** A master that answers; it gets an entry if it has none. */
  of({ id, address }: MasterNode): WatchedNode {
    const known = this.get(id);
    if (known) return known;
    const node = new WatchedNode(id, address, this.#budgetRatio);
    this.#nodes.set(id, { node, discovery: new Discovery() });
    return node;
  }

  /** Was it read before? */
  has(id: string): boolean {
    return this.get(id)?.state != null;
  }

  get(id: string): WatchedNode | undefined {
    return this.#nodes.get(id)?.node;
  }

  discoveryOf(id: string): Discovery {
    return this.#nodes.get(id)?.discovery ?? new Discovery();
  }

  get discoveries(): readonly Discovery[] {
    return [...this.#nodes.values()].map(({ discovery }) => discovery);
  }

  /** Those that are known now. */
  get states(): readonly RedisNode[] {
    return this.#all.flatMap((node) => (node.isUnread ? [] : (node.state ?? [])));
  }

  get unread(): readonly UnreadNode[] {
    return this.#all.flatMap((node) => node.unread ?? []);
  }

  /** What the regular reads cost the master that they cost most, 0..1 of a core; 0 while the credit of the first look pays. */
  get regularCpuRatio(): number {
    const nodes = this.#all.filter((node) => !node.isFirstLook);
    return Math.max(0, ...nodes.map((node) => node.regularCpuRatio));
  }

  missAllBut(answering: ReadonlySet<string>): void {
    for (const node of this.#all) if (!answering.has(node.id)) node.miss();
  }

  forgetAllBut(ids: ReadonlySet<string>): void {
    for (const id of this.#nodes.keys()) if (!ids.has(id)) this.#nodes.delete(id);
  }

  get #all(): readonly WatchedNode[] {
    return [...this.#nodes.values()].map(({ node }) => node);
  }
}
