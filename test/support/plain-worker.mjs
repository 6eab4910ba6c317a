// An application that knows nothing of the agent. Arguments: port, the package of BullMQ, a processor file or none.
const [port, name, processorFile] = process.argv.slice(2);
const { Worker } = await import(name);
const worker = new Worker('work', processorFile || (async () => 'done'), {
  connection: { host: '127.0.0.1', port: Number(port) },
  concurrency: 3,
  useWorkerThreads: process.env.THREADED === '1',
});
worker.on('error', () => undefined);
if (process.env.ATTACH_AS) (await import('spillway-agent')).attach(worker, { name: process.env.ATTACH_AS });
process.on('disconnect', () => process.exit(0));
