// A processor in a process of its own, as BullMQ runs it when it is given a file.
module.exports = async (job) => {
  await new Promise((resolve) => setTimeout(resolve, job.data.ms ?? 20));
  return 'done';
};
