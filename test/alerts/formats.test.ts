import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alertmanagerBody } from '../../server/alerts/channels/alertmanager.js';
import { linkOf, messageFrom, plainText } from '../../server/alerts/channels/channel.js';
import { emailText } from '../../server/alerts/channels/email.js';
import { dedupKeyOf, pagerDutyBody } from '../../server/alerts/channels/pagerduty.js';
import { slackBody } from '../../server/alerts/channels/slack.js';
import { signBody, webhookBody } from '../../server/alerts/channels/webhook.js';
import { aNotice, aNotification } from '../support/notifications.js';
import { NOW_MS } from '../support/snapshot.js';

const PUBLIC = 'https://spillway.example.com';
const message = messageFrom(aNotification(), PUBLIC);

describe('a message', () => {
  it('says what is wrong, since when, the evidence, the first remedy, and opens the console there', () => {
    expect(plainText(message)).toBe(
      `CRITICAL: Redis is nearly full
Cause: Pending track jobs of analytics take 470 MB, 92% of its memory.
Effect: Once it is full, producers are rejected and idle workers stop.
Do: Make room, drain faster, or add fewer jobs.
Redis: shop
Since: 2026-01-02 03:03:05 UTC

- Redis is full in 3 min (evidence: 92% of 512 MB; since 2026-01-02 03:03:05 UTC; runbook: https://runbooks.example.com/redis-full)

First remedy: Trim events of analytics: frees about 80 MB

https://spillway.example.com/#finding-redis.full`,
    );
  });

  it('of an end names no remedy', () => {
    const over = plainText(messageFrom(aNotification({ status: 'resolved' }), PUBLIC));
    expect(over).toMatch(/^RESOLVED: Redis is nearly full/);
    expect(over).not.toContain('First remedy');
    expect(over).not.toMatch(/^Do:/m);
  });

  it('names ten alerts and counts the others', () => {
    const alerts = Array.from({ length: 14 }, (_, i) => aNotice({ fingerprint: `f-${i}` }));
    const text = plainText(messageFrom(aNotification({ alerts }), null));
    expect(text.match(/^- Redis is full in 3 min/gm)).toHaveLength(10);
    expect(text).toContain('- and 4 more');
  });

  it('links below a path, and never to another host than the configured one', () => {
    expect(linkOf({ path: '/i/a b/q/c' }, 'https://x.example/spillway/')).toBe(
      'https://x.example/spillway/i/a%20b/q/c',
    );
    for (const path of ['//evil.example/', 'https://evil.example/', '/\\evil.example', '@evil.example/'])
      expect(new URL(linkOf({ path }, PUBLIC) ?? '').host).toBe('spillway.example.com');
    expect(linkOf({ path: '/' }, null)).toBeNull();
  });

  it('stays one line a text, whatever is in a name', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0x10ffff)), (characters) => {
        const headline = String.fromCodePoint(...characters);
        const { subject } = messageFrom(aNotification({ headline }), PUBLIC);
        expect(subject).not.toMatch(/[\p{Cc}\u2028\u2029\u202e]/u);
        expect(subject.isWellFormed()).toBe(true);
      }),
    );
  });
});

describe('for a webhook', () => {
  it('is JSON with times as ISO 8601', () => {
    expect(JSON.parse(webhookBody(aNotification(), PUBLIC))).toEqual({
      version: 1,
      id: 'n-1',
      groupKey: 'redis.full|shop',
      status: 'firing',
      severity: 'critical',
      instance: 'shop',
      headline: 'Redis is nearly full',
      since: '2026-01-02T03:03:05.000Z',
      alerts: [
        {
          fingerprint: 'f-1',
          alertId: 'a-1',
          rule: 'RedisNearlyFull',
          severity: 'critical',
          subject: { instance: 'shop', node: '10.0.0.5:6379', queue: null, type: null },
          status: 'firing',
          startsAt: '2026-01-02T03:03:05.000Z',
          endsAt: null,
          headline: 'Redis is full in 3 min',
          cause: 'Pending track jobs of analytics take 470 MB, 92% of its memory.',
          effect: 'Once it is full, producers are rejected and idle workers stop.',
          action: 'Make room, drain faster, or add fewer jobs.',
          evidence: '92% of 512 MB',
          runbookUrl: 'https://runbooks.example.com/redis-full',
        },
      ],
      firstRemedy: 'Trim events of analytics: frees about 80 MB',
      link: 'https://spillway.example.com/#finding-redis.full',
      createdAt: '2026-01-02T03:04:05.000Z',
    });
  });

  it('is signed over its time and body, so that neither can be changed', () => {
    const expected = createHmac('sha256', 'k').update('1767323045.{"a":1}').digest('hex');
    expect(signBody('k', 1_767_323_045, '{"a":1}')).toBe(`v1=${expected}`);
    expect(signBody('k', 1_767_323_046, '{"a":1}')).not.toBe(`v1=${expected}`);
  });
});

describe('for Slack', () => {
  it('is blocks with a plain text beside them', () => {
    const body = JSON.parse(slackBody(message));
    expect(body.text).toBe('CRITICAL: Redis is nearly full (shop)');
    expect(body.blocks[0]).toEqual({
      type: 'header',
      text: { type: 'plain_text', text: '🔴 CRITICAL: Redis is nearly full', emoji: true },
    });
    expect(JSON.stringify(body)).toContain(
      '<https://spillway.example.com/#finding-redis.full|Open the console>',
    );
  });

  it('can not be made to call a channel or a person, or to hide a link, by a name', () => {
    const evil = '<!channel> <@U1> <https://evil.example|here> & co';
    const alerts = [
      aNotice({ headline: evil, cause: evil, evidence: evil, runbookUrl: 'https://r.example/a|b>c' }),
    ];
    const body = slackBody(
      messageFrom(aNotification({ headline: evil, instance: evil, alerts, firstRemedy: evil }), PUBLIC),
    );
    const marked = JSON.parse(body)
      .blocks.filter((block: { text: { type: string } }) => block.text.type === 'mrkdwn')
      .map((block: { text: { text: string } }) => block.text.text)
      .join('\n');
    expect(marked).not.toMatch(/<!|<@|<https:\/\/evil/);
    expect(marked).toContain('&lt;!channel&gt;');
    expect(marked).toContain('<https://r.example/a%7Cb&gt;c|runbook>');
  });

  it('stays within what Slack takes', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 6_000 }), fc.nat(30), (text, count) => {
        const alerts = Array.from({ length: count }, () =>
          aNotice({ headline: `<${text}>`, cause: `<${text}>`, action: text }),
        );
        const notification = aNotification({ headline: text, alerts, firstRemedy: text });
        for (const { type, text: piece } of JSON.parse(slackBody(messageFrom(notification, PUBLIC))).blocks)
          expect(piece.text.length).toBeLessThanOrEqual(type === 'header' ? 150 : 3_000);
      }),
      { numRuns: 50 },
    );
  });
});

describe('for PagerDuty', () => {
  it('triggers one incident a group, and resolves that one', () => {
    const trigger = JSON.parse(
      pagerDutyBody(aNotification({ groupKey: 'redis.full|shop' }), message, 'R'.repeat(32)),
    );
    expect(trigger).toMatchObject({
      routing_key: 'R'.repeat(32),
      event_action: 'trigger',
      dedup_key: 'redis.full|shop',
      payload: {
        summary: 'CRITICAL: Redis is nearly full (shop)',
        source: 'redis shop',
        severity: 'critical',
        timestamp: '2026-01-02T03:03:05.000Z',
        custom_details: { first_remedy: 'Trim events of analytics: frees about 80 MB' },
      },
      links: [{ href: 'https://spillway.example.com/#finding-redis.full', text: 'Open the console' }],
    });
    const over = aNotification({ id: 'n-2', status: 'resolved', groupKey: 'redis.full|shop' });
    expect(JSON.parse(pagerDutyBody(over, message, 'R'))).toEqual({
      routing_key: 'R',
      dedup_key: 'redis.full|shop',
      event_action: 'resolve',
    });
  });

  it('has a key that PagerDuty takes, the same for the same group and another for another', () => {
    expect(dedupKeyOf('redis.full|shop')).toBe('redis.full|shop');
    const keys = ['x'.repeat(300), 'x'.repeat(301), 'größe'].map(dedupKeyOf);
    for (const key of keys) expect(key).toMatch(/^spillway-[0-9a-f]{32}$/);
    expect(new Set(keys).size).toBe(3);
    expect(dedupKeyOf('größe')).toBe(keys[2]);
  });
});

describe('for Alertmanager', () => {
  it('fires for four refreshes from now, and labels hold only what stays the same', () => {
    const [alert] = JSON.parse(alertmanagerBody(aNotification(), PUBLIC, NOW_MS, 60));
    expect(alert).toMatchObject({
      labels: {
        alertname: 'RedisNearlyFull',
        severity: 'critical',
        instance: 'shop',
        node: '10.0.0.5:6379',
        fingerprint: 'f-1',
        source: 'spillway',
      },
      startsAt: '2026-01-02T03:03:05.000Z',
      endsAt: '2026-01-02T03:08:05.000Z',
    });
    const changed = aNotification({
      id: 'n-2',
      headline: 'worse',
      alerts: [aNotice({ evidence: '99%', headline: 'x' })],
    });
    const [again] = JSON.parse(alertmanagerBody(changed, PUBLIC, NOW_MS + 60_000, 60));
    expect(again.labels).toEqual(alert.labels);
  });

  it('ends when it ended, and never before it began', () => {
    const over = (endsAtMs: number) =>
      JSON.parse(
        alertmanagerBody(
          aNotification({ alerts: [aNotice({ status: 'resolved', endsAtMs })] }),
          null,
          NOW_MS,
          60,
        ),
      )[0].endsAt;
    expect(over(NOW_MS - 1_000)).toBe('2026-01-02T03:04:04.000Z');
    expect(over(0)).toBe('2026-01-02T03:03:05.000Z');
  });
});

describe('for e-mail', () => {
  it('is escaped in HTML', () => {
    const evil = `<img src=x onerror="alert(1)"> & '`;
    const alerts = [
      aNotice({ headline: evil, effect: evil, evidence: evil, runbookUrl: 'javascript:alert(1)' }),
    ];
    const { html } = emailText(
      messageFrom(aNotification({ headline: evil, instance: evil, alerts, firstRemedy: evil }), PUBLIC),
    );
    expect(html).not.toContain('<img');
    expect(html).not.toMatch(/href="javascript/);
    expect(html).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; &#39;');
  });
});
