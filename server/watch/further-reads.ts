import type { InstanceConfig } from '../model/instance-config.js';
import type { DiscoveryStep } from '../redis/discover.js';
import type { MasterNode, RedisLink } from '../redis/link.js';
import { cgroupLimitBytes, isLoopbackAddress } from '../redis/read-server.js';
import { InstanceMemory } from './instance-memory.js';
import { InstanceTenants } from './instance-tenants.js';
import { InstanceTypes, type SlotsByQueue, type ThresholdOf } from './instance-types.js';
import type { WatchedNode, WatchedNodes } from './watched-node.js';
import type { WatchedQueues } from './watched-queues.js';

/** Part of what may be spent that goes to the walk over all keys; more while most queues are not known. */
const WALK_SHARE = 0.35;
/** At most, where all keys would not be met in time for a new queue to show. */
const MAX_WALK_SHARE = 0.7;
const PASS_WITHIN_MS = 20_000;
const FIRST_WALK_SHARE = 0.6;
/** Looking for queues and keys takes most of the budget; while somebody waits for a count it may take longer. */
const SHARE_WHILE_COUNTING = 0.1;
const ONE_SCAN: ReadonlyMap<string, number> = new Map([['scan', 1]]);
const CGROUP_EVERY_TICKS = 60;

export interface FurtherReadsDeps {
  readonly now: () => number;
  /** For samples: 0 ≤ x < 1 */
  readonly random: () => number;
  readonly thresholdOf: ThresholdOf;
  readonly slotsByQueue: SlotsByQueue;
}

/** One master in one tick. */
interface FurtherTick {
  readonly master: MasterNode;
  readonly tick: number;
  readonly intervalMs: number;
  /** In this tick job data may be read on this master. */
  readonly mayReadData: boolean;
  readonly isOn: (queueId: string) => boolean;
  readonly givenUp: AbortSignal;
}

/** What can wait, as far as the budget of each master goes: what ended, new queues, where the memory is. */
export class FurtherReads {
  readonly types: InstanceTypes;
  readonly memory: InstanceMemory;
  readonly #link: RedisLink;
  readonly #queues: WatchedQueues;
  readonly #nodes: WatchedNodes;
  readonly #budgetRatio: number;
  readonly #now: () => number;

  constructor(
    config: InstanceConfig,
    link: RedisLink,
    deps: FurtherReadsDeps,
    queues: WatchedQueues,
    nodes: WatchedNodes,
  ) {
    this.#link = link;
    this.#queues = queues;
    this.#nodes = nodes;
    this.#budgetRatio = config.cpuBudgetRatio;
    this.#now = deps.now;
    const tenants = InstanceTenants.of(config.tenantField, deps.random, link.redactor);
    const mayMeasure = () => link.capabilities?.canMeasureMemory !== false;
    this.memory = new InstanceMemory(deps.random, tenants, queues, mayMeasure, deps.now);
    this.types = new InstanceTypes(
      (queue, key, nowMs) => this.memory.sampledOf(queue, key, nowMs),
      deps.slotsByQueue,
      deps.thresholdOf,
      link.redactor,
    );
  }

  /** @throws what Redis or the network says, or why the tick was given up. */
  async read({ master, tick, intervalMs, mayReadData, isOn, givenUp }: FurtherTick): Promise<void> {
    const node = this.#nodes.get(master.id);
    if (!node) return;
    const nowMs = this.#now();
    const elapsedMs = node.beginTick(nowMs, intervalMs);
    this.memory.exact.pace(node.state?.ownCpuRatio ?? 0, this.#budgetRatio);
    const queues = [...this.#queues.all].filter(({ id }) => isOn(id));
    await this.types.read(master.client, node, queues, nowMs);
    givenUp.throwIfAborted();
    const walked = await this.#walk(master, node, nowMs, elapsedMs);
    if (node.processId !== null && tick % CGROUP_EVERY_TICKS === 1 && isLoopbackAddress(master.address))
      node.setCgroupLimit(await cgroupLimitBytes(node.processId));
    givenUp.throwIfAborted();
    if (this.#link.capabilities?.canMeasureMemory)
      await this.memory.read({ ...master, node, queues, mayReadData }, walked, nowMs);
  }

  /** Of queues that are not watched any more nothing is kept. */
  forgetGone(): void {
    const nowMs = this.#now();
    this.memory.sampler.forgetAllBut(this.#queues);
    this.types.forgetAllBut(this.#queues, nowMs);
    this.memory.exact.forgetAllBut(this.#queues, nowMs);
  }

  /** After a restart or failover what was read may not be so. */
  forgetPast(): void {
    this.types.forgetPlaces();
    this.memory.exact.forgetResults();
  }

  async #walk(
    master: MasterNode,
    node: WatchedNode,
    nowMs: number,
    elapsedMs: number,
  ): Promise<DiscoveryStep> {
    const discovery = this.#nodes.discoveryOf(master.id);
    const share = this.memory.exact.isRunning ? SHARE_WHILE_COUNTING : 1;
    const scanUsec = node.usecOf(ONE_SCAN);
    const allowanceUsec =
      share *
      (node.isFirstLook || !discovery.hasMetMost
        ? node.leftUsec * FIRST_WALK_SHARE
        : Math.min(
            node.incomeUsec * MAX_WALK_SHARE,
            Math.max(
              node.incomeUsec * WALK_SHARE,
              discovery.passUsec(scanUsec) * (elapsedMs / PASS_WITHIN_MS),
            ),
          ));
    const step = await discovery.step(master.client, nowMs, allowanceUsec, scanUsec, this.#queues.limit);
    node.pay(step.calls);
    for (const id of step.found) this.#queues.add(id);
    node.grant(step.found.length);
    return step;
  }
}
