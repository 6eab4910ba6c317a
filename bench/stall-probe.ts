import { connect, type Socket } from 'node:net';

/**
 * Another client of Redis, in a process that does nothing else: `node stall-probe.js <port> <port of an idle Redis>`.
 * Every few ms it asks both; what the idle one makes it wait for is the machine and not Redis, and so is a timer that
 * comes late. Reports all its waits when it is asked to stop.
 */
export interface Waits {
  /** ms until the Redis that works answered, and those of them that neither its own lateness nor the idle Redis explains. */
  readonly busy: readonly number[];
  readonly unexplained: readonly number[];
  readonly idle: readonly number[];
  /** ms that the timer of this process came late. */
  readonly late: readonly number[];
}

const EVERY_MS = 2;
/** A wait is the machine's fault as far as the same turn was late, or the idle Redis slow, by this much. */
const GRACE_MS = 1;

const [port = '', idlePort = ''] = process.argv.slice(2);
/** Time of one GET. */
function asker(socket: Socket): () => Promise<number> {
  let onAnswer: () => void = () => undefined;
  socket.on('data', () => onAnswer());
  return () =>
    new Promise((resolve) => {
      const from = performance.now();
      onAnswer = () => resolve(performance.now() - from);
      socket.write('GET spillway:probe\r\n');
    });
}

const open = (to: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port: Number(to), host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.on('error', reject);
  });

/** ms by which a timer of `ms` came late. */
async function latenessOf(ms: number): Promise<number> {
  const due = performance.now() + ms;
  await new Promise((resolve) => setTimeout(resolve, ms));
  return Math.max(0, performance.now() - due);
}

const busySocket = await open(port);
const idleSocket = await open(idlePort);
const [askBusy, askIdle] = [asker(busySocket), asker(idleSocket)];
const busy: number[] = [];
const idle: number[] = [];
const late: number[] = [];
const unexplained: number[] = [];
let isOver = false;
process.on('message', () => {
  isOver = true;
});
process.send?.('ready');
while (!isOver) {
  let lateMs = await latenessOf(EVERY_MS);
  let worstIdleMs = 0;
  let isAnswered = false;
  const asked = askBusy().then((waitMs) => {
    isAnswered = true;
    return waitMs;
  });
  // As long as the one is silent the other is asked again and again: what both suffer is the machine.
  const watching = (async () => {
    do {
      const waitMs = await askIdle();
      idle.push(waitMs);
      worstIdleMs = Math.max(worstIdleMs, waitMs);
      if (!isAnswered) lateMs = Math.max(lateMs, await latenessOf(1));
    } while (!isAnswered);
  })();
  const waitMs = await asked;
  await watching;
  busy.push(waitMs);
  late.push(lateMs);
  if (worstIdleMs < GRACE_MS && lateMs < GRACE_MS) unexplained.push(waitMs);
}
const waits: Waits = { busy, unexplained, idle, late };
process.send?.(waits, () => process.exit(0));
