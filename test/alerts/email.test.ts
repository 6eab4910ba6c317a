import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../drills/own-redis.js';
import { emailChannel } from '../../server/alerts/channels/email.js';
import type { SettingsOf } from '../../server/alerts/channels/settings.js';
import { aNotification } from '../support/notifications.js';

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
}
const servers: SMTPServer[] = [];

/** A real SMTP server on this machine that keeps what it gets. */
async function startSmtp(options: SMTPServerOptions = {}) {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, session, callback) {
      let text = '';
      stream.setEncoding('utf8');
      stream.on('data', (chunk: string) => {
        text += chunk;
      });
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text,
        });
        callback();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  servers.push(server);
  return { port: (server.server.address() as AddressInfo).port, mails };
}
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise<void>((resolve) => server.close(() => resolve()));
});

function mailer(
  over: Partial<SettingsOf<'email'>>,
  timeouts: { connectWithinMs?: number; answerWithinMs?: number } = {},
) {
  const settings: SettingsOf<'email'> = {
    type: 'email',
    name: 'mail',
    minSeverity: 'info',
    instances: ['*'],
    ca: null,
    host: '127.0.0.1',
    port: 25,
    tls: 'none',
    username: null,
    password: null,
    from: 'spillway@example.com',
    to: ['oncall@example.com', 'team@example.com'],
    ...over,
  };
  const rules = { allow: [], deny: [] };
  return emailChannel(settings, {
    now: Date.now,
    rules,
    publicUrl: 'https://spillway.example.com',
    ...timeouts,
  });
}

const header = (mail: Mail | undefined, name: string) =>
  new RegExp(`^${name}: (.*(?:\\r\\n[ \\t].*)*)`, 'im').exec(mail?.text ?? '')?.[1]?.replace(/\r\n\s+/g, ' ');

describe('an e-mail', () => {
  it('reaches everybody, in plain text and HTML, with what is wrong and where to look', async () => {
    const { port, mails } = await startSmtp();
    expect(await mailer({ port }).send(aNotification())).toEqual({ ok: true });
    const [mail] = mails;
    expect(mail).toMatchObject({
      from: 'spillway@example.com',
      to: ['oncall@example.com', 'team@example.com'],
    });
    expect(header(mail, 'Subject')).toBe('CRITICAL: Redis is nearly full (shop)');
    expect(mail?.text).toContain('text/plain');
    expect(mail?.text).toContain('text/html');
    // Quoted-printable breaks lines where it likes.
    const text = mail?.text.replaceAll('=\r\n', '');
    for (const said of [
      'Cause: Pending track jobs',
      'Effect: Once it is full',
      'Do: Make room',
      '92% of 512 MB',
    ])
      expect(text).toContain(said);
    expect(text).toContain('First remedy: Trim events');
    expect(text).toContain('https://spillway.example.com/#finding-redis.full');
  });

  it('stands in one thread with the others of its group, and a repeat carries the same id', async () => {
    const { port, mails } = await startSmtp();
    const channel = mailer({ port });
    await channel.send(aNotification());
    await channel.send(aNotification());
    await channel.send(aNotification({ id: 'n-2', status: 'resolved' }));
    await channel.send(aNotification({ id: 'n-3', groupKey: 'another' }));
    const ids = mails.map((mail) => header(mail, 'Message-ID'));
    const threads = mails.map((mail) => header(mail, 'References'));
    expect(ids[0]).toBe(ids[1]);
    expect(new Set(ids).size).toBe(3);
    expect(threads[0]).toBe(threads[2]);
    expect(threads[0]).not.toBe(threads[3]);
  });

  it('can not be made to carry headers or recipients by a name in Redis', async () => {
    const { port, mails } = await startSmtp();
    const headline = 'full\r\nBcc: evil@example.com\r\n\r\n<script>alert(1)</script>';
    await mailer({ port }).send(aNotification({ headline, groupKey: 'a>\r\nX-Evil: 1' }));
    expect(mails[0]?.to).toEqual(['oncall@example.com', 'team@example.com']);
    expect(header(mails[0], 'Bcc')).toBeUndefined();
    expect(header(mails[0], 'X-Evil')).toBeUndefined();
    const html = mails[0]?.text.split('text/html')[1];
    expect(html).not.toContain('<script>');
  });
});

describe('a mail server that fails', () => {
  it('by refusing connections is tried again', async () => {
    expect(await mailer({ port: await freePort() }).send(aNotification())).toMatchObject({
      kind: 'passing',
      problem: expect.stringMatching(/refuse/i),
    });
  });

  it('by never greeting is given up in time', async () => {
    const { port } = await startSmtp({ onConnect: () => undefined });
    expect(await mailer({ port }, { connectWithinMs: 300 }).send(aNotification())).toMatchObject({
      kind: 'passing',
    });
  });

  it('by hanging over the text is given up in time', async () => {
    const { port } = await startSmtp({ onData: (stream) => void stream.resume() });
    expect(await mailer({ port }, { answerWithinMs: 400 }).send(aNotification())).toMatchObject({
      kind: 'passing',
      problem: 'no answer in time',
    });
  });

  it.each([
    [451, 'passing'],
    [550, 'refused'],
  ] as const)('with %i has %s', async (responseCode, kind) => {
    const { port } = await startSmtp({
      onRcptTo: (_address, _session, callback) =>
        callback(Object.assign(new Error('not now'), { responseCode })),
    });
    expect(await mailer({ port }).send(aNotification())).toMatchObject({ kind });
  });

  it('over the login is reported without the password', async () => {
    const password = 'p4ssword-of-smtp';
    const seen: string[] = [];
    const { port } = await startSmtp({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth(auth, _session, callback) {
        seen.push(auth.password ?? '');
        callback(new Error(`wrong password ${auth.password}`));
      },
    });
    const delivery = await mailer({ port, username: 'spillway', password }).send(aNotification());
    expect(seen).toContain(password);
    expect(delivery).toMatchObject({ ok: false, kind: 'refused' });
    expect(JSON.stringify(delivery)).not.toContain(password);
  });

  it('by having no TLS gets no message where TLS is asked for, which is so unless set otherwise', async () => {
    const { port, mails } = await startSmtp();
    expect(await mailer({ port, tls: 'starttls' }).send(aNotification())).toMatchObject({ ok: false });
    expect(await mailer({ port, tls: 'implicit' }).send(aNotification())).toMatchObject({ ok: false });
    expect(mails).toEqual([]);
  });

  it('by standing where nobody may call is not called', async () => {
    const { port, mails } = await startSmtp();
    const settings = mailer({ port, host: 'localhost' }).settings as SettingsOf<'email'>;
    const denied = emailChannel(settings, {
      now: Date.now,
      rules: { allow: [], deny: ['127.0.0.0/8', '::1'] },
      publicUrl: null,
    });
    expect(await denied.send(aNotification())).toMatchObject({ kind: 'refused' });
    expect(mails).toEqual([]);
  });
});
