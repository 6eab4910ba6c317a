import { z } from 'zod';
import type { HealthProblem } from '../model/console-health.js';
import { type ModelOf, TimeSchema } from '../model/json.js';
import { secretScrubber, secretsOfUrl } from '../model/text.js';
import { every, reasonOf } from '../process/every.js';
import type { OutgoingRules } from './channels/outgoing-policy.js';
import { type OutgoingRequest, postOutgoing } from './channels/post-outgoing.js';
import type { DeadManSettings } from './channels/settings.js';

const MAX_BODY_CHARS = 2_000;
const LOOK_EVERY_MS = 1_000;
/** A beat that did not arrive is tried again after this, where the next is not due sooner. */
const TRY_AGAIN_MS = 10_000;

interface DeadManDeps {
  readonly settings: DeadManSettings;
  readonly rules: OutgoingRules;
  /** Only one of several consoles beats. */
  readonly isLeader: () => boolean;
  readonly problems: () => readonly HealthProblem[];
  /** false: nothing has been read or written yet, so that it is too early to say that all is well. */
  readonly isSettled: () => boolean;
  readonly now: () => number;
  /** Never set back: a clock that is must not stop the beat. */
  readonly monotonicMs: () => number;
  readonly warn: (message: string) => void;
}

/** How the heartbeat stands. */
export const DeadManSchema = z.object({
  everySeconds: z.number(),
  lastBeatAt: TimeSchema.nullable(),
  problem: z
    .string()
    .nullable()
    .describe('Why it does not beat, or why a beat did not arrive; null: all is well'),
});
export type DeadManState = ModelOf<typeof DeadManSchema>;

/**
 * Calls somebody else, at even intervals, that all is well, so that they notice when it no longer is: by the silence of a
 * console that has died, or of one that is alive and does not read, write or deliver.
 */
export class DeadManSwitch {
  readonly #deps: DeadManDeps;
  readonly #scrub: (text: string) => string;
  readonly #loop = every(
    LOOK_EVERY_MS,
    () => this.#turn(),
    (error) => this.#deps.warn(`dead man's switch: ${this.#scrub(reasonOf(error))}`),
  );
  #lastBeatAtMs: number | null = null;
  #problem: string | null = 'the console has just started';
  #dueAtMs = 0;

  constructor(deps: DeadManDeps) {
    this.#deps = deps;
    const { url, failUrl } = deps.settings;
    this.#scrub = secretScrubber([...secretsOfUrl(url), ...(failUrl === null ? [] : secretsOfUrl(failUrl))]);
  }

  state(): DeadManState {
    const { everySeconds } = this.#deps.settings;
    return { everySeconds, lastBeatAtMs: this.#lastBeatAtMs, problem: this.#problem };
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Beats, or says why not, where that is due. Never throws; one at a time. */
  look(): Promise<void> {
    return this.#loop.run();
  }

  async #turn(): Promise<void> {
    const { settings, isLeader, problems, isSettled, monotonicMs } = this.#deps;
    const wrong = problems();
    // Without the store nobody can hold the lease: this console then speaks for itself.
    if (!isLeader() && !wrong.some(({ code }) => code === 'store')) {
      this.#dueAtMs = 0;
      this.#problem = 'another console of this store beats, or none does yet';
      return;
    }
    const nowMs = monotonicMs();
    if (nowMs < this.#dueAtMs || (wrong.length === 0 && !isSettled())) return;
    const everyMs = settings.everySeconds * 1000;
    const hasArrived = await (wrong.length === 0 ? this.#beatNow() : this.#complain(wrong));
    this.#dueAtMs = nowMs + (hasArrived ? everyMs : Math.min(everyMs, TRY_AGAIN_MS));
  }

  async #beatNow(): Promise<boolean> {
    const problem = await this.#send({ url: this.#deps.settings.url, method: 'GET' });
    if (problem === null) this.#lastBeatAtMs = this.#deps.now();
    this.#note(problem);
    return problem === null;
  }

  async #complain(wrong: readonly HealthProblem[]): Promise<boolean> {
    const words = wrong.map(({ text }) => text).join('; ');
    this.#note(`no beat, as ${words}`);
    const { failUrl } = this.#deps.settings;
    if (failUrl === null) return true;
    const headers = { 'Content-Type': 'text/plain; charset=utf-8' };
    const body = `Spillway: ${words}`.slice(0, MAX_BODY_CHARS);
    return (await this.#send({ url: failUrl, method: 'POST', headers, body })) === null;
  }

  async #send(request: OutgoingRequest): Promise<string | null> {
    const { rules, now, settings } = this.#deps;
    const deps = { rules, now, scrub: this.#scrub, ca: settings.ca };
    const delivery = await postOutgoing(request, deps);
    return delivery.ok ? null : `the beat did not arrive: ${delivery.problem}`;
  }

  #note(problem: string | null): void {
    // Numbers in it change from beat to beat: it is logged when it begins.
    if (problem !== null && (this.#problem === null || this.#lastBeatAtMs === null))
      this.#deps.warn(`dead man's switch: ${problem}`);
    this.#problem = problem;
  }
}
