// The same by `require`, with a worker that is run later.
const [port, name, processorFile] = process.argv.slice(2);
const { Worker } = require(name);
const worker = new Worker('work', processorFile || (async () => 'done'), {
  connection: { host: '127.0.0.1', port: Number(port) },
  concurrency: 3,
  autorun: false,
});
worker.on('error', () => undefined);
if (process.env.ATTACH_AS) require('spillway-agent').attach(worker, { name: process.env.ATTACH_AS });
setTimeout(() => worker.run(), 50);
process.on('disconnect', () => process.exit(0));
