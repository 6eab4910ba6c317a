// An application with NestJS, as `@nestjs/bullmq` makes its workers. Arguments: port. Decorators are called by hand.
require('reflect-metadata');
const { Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { BullModule, Processor, WorkerHost } = require('@nestjs/bullmq');

class Mailer extends WorkerHost {
  async process() {
    return 'done';
  }
}
Processor('work', { concurrency: 3 })(Mailer);
class Application {}
Module({
  imports: [
    BullModule.forRoot({ connection: { host: '127.0.0.1', port: Number(process.argv[2]) } }),
    BullModule.registerQueue({ name: 'work' }),
  ],
  providers: [Mailer],
})(Application);
process.on('disconnect', () => process.exit(0));
NestFactory.createApplicationContext(Application, { logger: false });
