import { EVERY_WORKER, type Order, type OrderInForce, type WorkerLimiter } from './protocol.js';

/** What a worker was deployed with. */
interface Deployed {
  readonly concurrency: number;
  readonly limiter: WorkerLimiter | null;
}

/** What is to hold for a worker; null: as deployed. */
interface Wanted {
  readonly concurrency: number | null;
  readonly paused: boolean | null;
  readonly limiter: WorkerLimiter | 'none' | null;
  /** When an order ends next, so that this must be asked again; null: none does. */
  readonly nextEndMs: number | null;
}

interface OwnerLimits {
  readonly maxConcurrency: number | null;
  /** Its owner has set none, and this is the agent's. */
  readonly isDefault?: boolean;
}

type Setting = 'concurrency' | 'paused' | 'limiter';
const SETTINGS: readonly Setting[] = ['concurrency', 'paused', 'limiter'];

/**
 * The orders that stand for one worker. Setting by setting its own scope's goes before the one for every worker, and that
 * before what was deployed. An order that the owner's limits refuse changes nothing: what held before goes on.
 */
export class AgentOverrides {
  readonly #scopes: readonly string[];
  readonly #limits: OwnerLimits;
  readonly #deployed: () => Deployed;
  #orders = new Map<string, Order>();
  #refused = new Map<string, { readonly order: Order; readonly why: string }>();
  /** When the order of a slot was given, by its console's clock, and received, by a steady one here: a stored one that is older is a rollback. */
  #last = new Map<string, { readonly givenAtMs: number; readonly heardAtMs: number }>();

  /** @param own scopes of this worker alone, the one that goes before the others first: its id, its key. */
  constructor(own: readonly string[], limits: OwnerLimits, deployed: () => Deployed) {
    this.#scopes = [...own, EVERY_WORKER];
    this.#limits = limits;
    this.#deployed = deployed;
  }

  isMeant(order: Order): boolean {
    return this.#scopes.includes(order.scope);
  }

  /** The way back to what stands now: for an order that the worker itself turns out not to take. */
  hold(): () => void {
    const [orders, refused, last] = [new Map(this.#orders), new Map(this.#refused), new Map(this.#last)];
    return () => {
      this.#orders = orders;
      this.#refused = refused;
      this.#last = last;
    };
  }

  /**
   * @param steadyMs by a clock that is never set.
   * @returns why it is not followed; null: it is.
   */
  take(order: Order, steadyMs: number): string | null {
    if (!this.isMeant(order)) return null;
    if (order.setting === 'all') {
      for (const setting of SETTINGS) this.#drop(`${order.scope}|${setting}`, order.atMs, steadyMs);
      return null;
    }
    const slot = `${order.scope}|${order.setting}`;
    const last = this.#last.get(slot);
    // Given again by a console that had not seen yet what has become of it.
    if (order.nonce !== undefined && last && order.atMs < last.givenAtMs) return null;
    this.#last.set(slot, { givenAtMs: order.atMs, heardAtMs: steadyMs });
    this.#refused.delete(slot);
    if (order.value === null) {
      this.#orders.delete(slot);
      return null;
    }
    const why = this.#whyRefused(order);
    if (why === null) this.#orders.set(slot, order);
    else this.#refused.set(slot, { order, why });
    return why;
  }

  /**
   * Takes in what Redis stores: the whole truth, but for orders that were received since it was asked for.
   * @param askedAt when the read was sent, by the same steady clock as `steadyMs`.
   * @param takesNew false: only what has been taken away counts, as with a secret (see protocol.ts).
   */
  takeKept(orders: readonly Order[], askedAt: number, steadyMs: number, takesNew: boolean): void {
    const kept = new Set<string>();
    for (const order of orders) {
      // What takes others back, and what is done once, is never kept: one that stands there all the same would do it again at every read.
      if (!this.isMeant(order) || order.value === null || order.setting === 'reconnect') continue;
      const slot = `${order.scope}|${order.setting}`;
      kept.add(slot);
      const last = this.#last.get(slot);
      if (!takesNew || (last && (order.atMs < last.givenAtMs || last.heardAtMs > askedAt))) continue;
      this.take(order, steadyMs);
    }
    for (const slot of [...this.#orders.keys(), ...this.#refused.keys()]) {
      if (kept.has(slot) || (this.#last.get(slot)?.heardAtMs ?? 0) > askedAt) continue;
      this.#orders.delete(slot);
      this.#refused.delete(slot);
    }
  }

  wanted(nowMs: number): Wanted {
    const ends = [...this.#orders.values()].flatMap(({ untilMs }) =>
      untilMs !== null && untilMs > nowMs ? untilMs : [],
    );
    const concurrency = this.#standing('concurrency', nowMs);
    const paused = this.#standing('paused', nowMs);
    const limiter = this.#standing('limiter', nowMs);
    return {
      concurrency: concurrency?.setting === 'concurrency' ? this.#slots(concurrency.value) : null,
      paused: paused?.setting === 'paused' ? paused.value : null,
      limiter: limiter?.setting === 'limiter' ? limiter.value : null,
      nextEndMs: ends.length > 0 ? Math.min(...ends) : null,
    };
  }

  inForce(nowMs: number): readonly OrderInForce[] {
    const followed = SETTINGS.flatMap((setting) => {
      const order = this.#standing(setting, nowMs);
      return order ? { orderId: order.id, refusal: null } : [];
    });
    const refused = [...this.#refused.values()].flatMap(({ order, why }) =>
      order.untilMs === null || order.untilMs > nowMs ? { orderId: order.id, refusal: why } : [],
    );
    return [...followed, ...refused];
  }

  #standing(setting: Setting, nowMs: number): Order | null {
    for (const scope of this.#scopes) {
      const order = this.#orders.get(`${scope}|${setting}`);
      if (order && (order.untilMs === null || order.untilMs > nowMs)) return order;
    }
    return null;
  }

  #drop(slot: string, givenAtMs: number, steadyMs: number): void {
    this.#last.set(slot, { givenAtMs, heardAtMs: steadyMs });
    this.#orders.delete(slot);
    this.#refused.delete(slot);
  }

  #slots(value: number | { readonly factor: number } | null): number | null {
    if (value === null || typeof value === 'number') return value;
    return Math.max(1, Math.round(this.#deployed().concurrency * value.factor));
  }

  #whyRefused(order: Order): string | null {
    if (order.setting !== 'concurrency') return null;
    const slots = this.#slots(order.value);
    const { maxConcurrency } = this.#limits;
    if (slots === null || maxConcurrency === null || slots <= maxConcurrency) return null;
    const who = this.#limits.isDefault
      ? 'where its owner sets no limits.maxConcurrency it takes'
      : 'its owner allows';
    return `${who} a concurrency of at most ${maxConcurrency}, and this asks for ${slots}`;
  }
}
