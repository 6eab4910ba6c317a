import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';

/** A TCP way to a port that can go deaf: sockets stay open, and nothing that is sent arrives any more. */
export interface HalfOpenWay {
  readonly port: number;
  /** What is connected now hears and says nothing more; new connections work. */
  swallow(): void;
  close(): Promise<void>;
}

export async function startHalfOpenWay(toPort: number): Promise<HalfOpenWay> {
  const pairs = new Set<{ readonly near: Socket; readonly far: Socket }>();
  const server = createServer((near) => {
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
      for (const { near, far } of pairs) {
        near.unpipe(far);
        far.unpipe(near);
        // Read and dropped, as a network that loses everything: what is sent seems to go out.
        near.resume();
        far.resume();
      }
    },
    async close() {
      for (const { near, far } of pairs) {
        near.destroy();
        far.destroy();
      }
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
