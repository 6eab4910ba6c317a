// A processor in a process of its own, as BullMQ runs it when it is given a file. Its jobs run until `job.data.untilFile`
// is there.
const { existsSync } = require('node:fs');

module.exports = async (job) => {
  while (!existsSync(job.data.untilFile)) await new Promise((resolve) => setTimeout(resolve, 20));
  return 'done';
};

// Its parent may be killed, and a job that is to run for ever would hold this process.
process.on('disconnect', () => process.exit(0));
