import type { Channel } from './channel.js';

/** Proxies and half-open connections are told apart from quiet ones by a comment this often. */
const HEARTBEAT_MS = 15_000;
/** A stream ends after this, and the page comes back: so a session that is over does not go on seeing. */
const LONGEST_MS = 30 * 60_000;

export interface LiveStream {
  readonly body: ReadableStream<Uint8Array>;
  close(): void;
}

/**
 * One viewer's stream. It is pulled: nothing is made for a viewer that has not taken what it was sent, so a slow one
 * skips renderings and nothing piles up for it.
 */
export function openStream(channel: Channel, onEnd: () => void): LiveStream {
  const encoder = new TextEncoder();
  const endsAtMs = Date.now() + LONGEST_MS;
  let sentVersion = 0;
  let isOver = false;
  let release: (() => void) | null = null;

  const end = (): void => {
    if (isOver) return;
    isOver = true;
    release?.();
    onEnd();
  };

  /** What to send next; null at the end. */
  const next = async (): Promise<string | null> => {
    if (!isOver && channel.version <= sentVersion) await nextVersionOrHeartbeat();
    if (isOver || Date.now() > endsAtMs) return null;
    if (channel.version <= sentVersion) return ': still here\n\n';
    const text = channel.since(sentVersion);
    sentVersion = channel.version;
    return text === '' ? ': nothing new\n\n' : text;
  };

  const nextVersionOrHeartbeat = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => release?.(), HEARTBEAT_MS);
      const callOff = channel.onNext(() => release?.());
      release = () => {
        clearTimeout(timer);
        callOff();
        release = null;
        resolve();
      };
    });

  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const text = await next();
        if (text === null) {
          end();
          controller.close();
        } else controller.enqueue(encoder.encode(text));
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
  return { body, close: end };
}
