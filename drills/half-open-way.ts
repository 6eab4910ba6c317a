import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';

/** A TCP way to a port that can go deaf: sockets stay open, and nothing that is sent arrives any more. */
export interface HalfOpenWay {
  readonly port: number;
  /** What is connected hears and says nothing more, and new connections neither; until `heal`. */
  swallow(): void;
  heal(): void;
  close(): Promise<void>;
}

/** @param isForNew false: only what is connected then is swallowed, and new connections work. */
export async function startHalfOpenWay(toPort: number, isForNew = false): Promise<HalfOpenWay> {
  const pairs = new Set<{ readonly near: Socket; readonly far: Socket }>();
  /** Accepted while deaf: connected to nothing. */
  const stranded = new Set<Socket>();
  let isDeaf = false;
  const dropAll = (): void => {
    for (const socket of [...stranded, ...[...pairs].flatMap(({ near, far }) => [near, far])])
      socket.destroy();
  };
  const server = createServer((near) => {
    near.on('error', () => undefined);
    if (isDeaf) {
      stranded.add(near);
      near.on('close', () => stranded.delete(near));
      near.resume();
      return;
    }
    const far = dial(toPort, '127.0.0.1');
    const pair = { near, far };
    pairs.add(pair);
    near.pipe(far);
    far.pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => {
        other.destroy();
        pairs.delete(pair);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    swallow() {
      isDeaf = isForNew;
      for (const { near, far } of pairs) {
        near.unpipe(far);
        far.unpipe(near);
        // Read and dropped, as a network that loses everything: what is sent seems to go out.
        near.resume();
        far.resume();
      }
    },
    heal() {
      isDeaf = false;
      dropAll();
    },
    async close() {
      dropAll();
      server.close();
      server.unref();
    },
  };
}
