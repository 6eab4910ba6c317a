export interface DutyOptions {
  /** Is it ours, now? */
  readonly isMine: () => boolean;
  /** Reads what is kept and goes on with it. */
  readonly takeUp: () => Promise<void>;
  /** Stops at once. */
  readonly letGo: () => Promise<void>;
  readonly warn: (message: string) => void;
}

/** The holder of a lease gives up 2 s before another may take it: time enough to see that, and to let go. */
const LOOK_EVERY_MS = 100;

/** Work that goes on only where a lease is held: taken up when it is taken, let go when it is lost; one after the other. */
export class Duty {
  readonly #options: DutyOptions;
  #isOn = false;
  #isFailing = false;
  #timer: NodeJS.Timeout | null = null;
  #look: Promise<void> | null = null;

  constructor(options: DutyOptions) {
    this.#options = options;
  }

  /** Resolves once it is taken up, where it is ours by now. */
  async start(): Promise<void> {
    await this.#turn();
    this.#timer = setInterval(() => {
      this.#look ??= this.#turn().finally(() => {
        this.#look = null;
      });
    }, LOOK_EVERY_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.#look;
    if (this.#isOn) await this.#options.letGo();
    this.#isOn = false;
  }

  async #turn(): Promise<void> {
    const { isMine, takeUp, letGo, warn } = this.#options;
    const isMineNow = isMine();
    if (isMineNow === this.#isOn) return;
    try {
      if (isMineNow) await takeUp();
      else await letGo();
      this.#isOn = isMineNow;
      this.#isFailing = false;
    } catch (error) {
      // A store that can't be read now: what was begun of it is left, and it is tried again at the next look.
      if (isMineNow) await letGo().catch(() => undefined);
      if (!this.#isFailing)
        warn(
          `what moves jobs can't be taken up or let go: ${error instanceof Error ? error.message : 'unknown reason'}`,
        );
      this.#isFailing = true;
    }
  }
}
