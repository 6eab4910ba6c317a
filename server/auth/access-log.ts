import type { Logger } from 'pino';
import type { AuditLog } from '../model/audit-record.js';
import type { Actor } from '../model/role.js';
import { ALL_INSTANCES } from '../model/timeline-entry.js';
import { auditOf } from '../timeline/audit-log.js';

const WINDOW_MS = 60_000;
/** Of each kind so many are told apart within a window; what more there are is recorded as one. */
const MAX_SHOWN = 10;

/** What may be recorded of the door; its name in the audit is `access.` and this. */
type AccessKind = 'sign-in' | 'sign-in-refused' | 'sign-out' | 'wrong-token' | 'lock-out' | 'refused';

interface AccessEvent {
  readonly kind: AccessKind;
  readonly actor: Actor;
  /** Address of the other end. */
  readonly source: string;
  /** A sentence without its end, and without any secret: the same words are the same event. */
  readonly text: string;
}

interface AccessLogDeps {
  readonly audit: Pick<AuditLog, 'append'>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly now: () => number;
  readonly newId: () => string;
}

interface Counted {
  readonly event: AccessEvent;
  /** Since the last line. */
  count: number;
}

/**
 * Sign-ins, wrong tokens, lock-outs and refused changes, in the log and in the audit. The first of its kind, source and
 * words is recorded at once, and what follows within a minute as one line with a count: strangers can't fill the disk.
 */
export class AccessLog {
  readonly #deps: AccessLogDeps;
  readonly #counted = new Map<AccessKind, Map<string, Counted>>();
  #timer: NodeJS.Timeout | null = null;

  constructor(deps: AccessLogDeps) {
    this.#deps = deps;
  }

  note(event: AccessEvent): void {
    this.#timer ??= setTimeout(() => this.#endWindow(), WINDOW_MS).unref();
    const ofKind = this.#counted.get(event.kind) ?? new Map<string, Counted>();
    this.#counted.set(event.kind, ofKind);
    const key = `${event.source} ${event.text}`;
    const known = ofKind.get(key) ?? (ofKind.size >= MAX_SHOWN ? this.#others(ofKind, event) : undefined);
    if (known) known.count += 1;
    else {
      ofKind.set(key, { event, count: 0 });
      this.#record(event, 1);
    }
  }

  /** Records what has been counted and not recorded yet. */
  flush(): void {
    for (const ofKind of this.#counted.values()) {
      for (const [key, counted] of ofKind) {
        // What was quiet for a whole window is new when it comes again.
        if (counted.count === 0) ofKind.delete(key);
        else this.#record(counted.event, counted.count);
        counted.count = 0;
      }
    }
  }

  #endWindow(): void {
    this.#timer = null;
    this.flush();
    const isQuiet = [...this.#counted.values()].every((ofKind) => ofKind.size === 0);
    if (!isQuiet) this.#timer = setTimeout(() => this.#endWindow(), WINDOW_MS).unref();
  }

  #others(ofKind: Map<string, Counted>, { kind, actor }: AccessEvent): Counted {
    const others = ofKind.get('') ?? {
      event: {
        kind,
        actor: { ...actor, name: 'various' },
        source: 'various',
        text: `${kind}: various others`,
      },
      count: 0,
    };
    ofKind.set('', others);
    return others;
  }

  #record({ kind, actor, source, text }: AccessEvent, count: number): void {
    const { audit, log, now, newId } = this.#deps;
    const times = count === 1 ? '' : `, ${count} times within a minute`;
    const summary = `${text}, from ${source}${times}.`;
    const isGranted = kind === 'sign-in' || kind === 'sign-out';
    log[isGranted ? 'info' : 'warn']({ access: kind, actor: actor.name, source, count }, summary);
    const record = auditOf(newId(), now(), actor, {
      action: `access.${kind}`,
      instance: ALL_INSTANCES,
      args: { source, count },
      status: isGranted ? 'applied' : 'refused',
      summary,
    });
    // A store that can't keep it is shown elsewhere, and the log has it.
    audit.append(record).catch(() => undefined);
  }
}
