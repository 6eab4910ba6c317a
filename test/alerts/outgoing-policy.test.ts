import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOutgoingEntry, whyNotAllowed } from '../../server/alerts/channels/outgoing-policy.js';

const ANY = { allow: [], deny: [] };

describe('where messages may go', () => {
  it.each([
    ['an address of the Internet', 'hooks.example.com', '93.184.215.14'],
    ['a private network, as Alertmanager lives in one', 'alertmanager', '10.1.2.3'],
    ['this machine', 'localhost', '127.0.0.1'],
    ['IPv6', 'v6.example.com', '2606:2800:21f:cb07::1'],
    ['this machine by IPv6', 'localhost', '::1'],
    ['a private network by IPv6', 'alertmanager', 'fd12:3456::1'],
    ['the Internet behind NAT64', 'hooks.example.com', '64:ff9b::5db8:d70e'],
  ])('lets %s be called unless the configuration says otherwise', (_, host, address) => {
    expect(whyNotAllowed(host, address, ANY)).toBeNull();
  });

  it.each([
    ['cloud metadata', '169.254.169.254'],
    ['metadata, mapped into IPv6', '::ffff:169.254.169.254'],
    ['metadata, mapped and in hex', '::ffff:a9fe:a9fe'],
    ['metadata behind NAT64', '64:ff9b::a9fe:a9fe'],
    ['metadata of AWS by IPv6', 'fd00:ec2::254'],
    ['what hands out credentials to pods at AWS', 'fd00:ec2::23'],
    ['metadata of Google by IPv6', 'fd20:ce::254'],
    ['the same, written out', 'FD20:00CE:0:0:0:0:0:0254'],
    ['metadata of Oracle by IPv6', 'fd00:c1::a9fe:a9fe'],
    ['metadata of Scaleway by IPv6', 'fd00:42::42'],
    ['metadata of Akamai by IPv6', 'fd00:a9fe:a9fe::1'],
    ['metadata of Alibaba by IPv6', 'fd00:100::100:200'],
    ['metadata behind 6to4', '2002:a9fe:a9fe::1'],
    ['metadata behind a local NAT64', '64:ff9b:1::a9fe:a9fe'],
    ['metadata behind a local NAT64, in the longer form', '64:ff9b:1:a9fe:a9:fe00::'],
    ['metadata behind Teredo', '2001::5601:5601'],
    ['metadata as a translated address', '::ffff:0:169.254.169.254'],
    ['metadata as a compatible address', '::169.254.169.254'],
    ['a site-local address', 'fec0::1'],
    ['link-local IPv6', 'fe80::1'],
    ['link-local IPv6 with its zone', 'fe80::1%eth0'],
    ['this machine as 0.0.0.0', '0.0.0.0'],
    ['this machine as ::', '::'],
    ['the wire server of Azure', '168.63.129.16'],
    ['a multicast group', '239.1.1.1'],
  ])('never calls %s by default, whatever name leads there', (_, address) => {
    expect(whyNotAllowed('innocent.example.com', address, ANY)).toMatch(/denied/);
    expect(whyNotAllowed('innocent.example.com', address, { allow: ['*.example.com'], deny: [] })).toMatch(
      /denied/,
    );
  });

  it('takes a network that is allowed by name, also where it is denied by default', () => {
    const rules = { allow: ['169.254.10.0/24'], deny: [] };
    expect(whyNotAllowed('sidecar', '169.254.10.1', rules)).toBeNull();
    expect(whyNotAllowed('sidecar', '169.254.169.254', rules)).not.toBeNull();
  });

  it('keeps to the list where there is one: networks, addresses and globs of names', () => {
    const rules = { allow: ['hooks.slack.com', '*.pagerduty.com', '10.0.0.0/8'], deny: [] };
    expect(whyNotAllowed('HOOKS.slack.com', '1.2.3.4', rules)).toBeNull();
    expect(whyNotAllowed('events.pagerduty.com', '1.2.3.4', rules)).toBeNull();
    expect(whyNotAllowed('am', '10.255.0.1', rules)).toBeNull();
    expect(whyNotAllowed('am', '11.0.0.1', rules)).toMatch(/not in alerts.outgoing.allow/);
    expect(whyNotAllowed('evil-pagerduty.com', '1.2.3.4', rules)).not.toBeNull();
  });

  it('lets deny win over allow', () => {
    const rules = { allow: ['10.0.0.0/8', '*.internal'], deny: ['10.0.0.0/24', 'vault.internal'] };
    expect(whyNotAllowed('am.internal', '10.1.0.1', rules)).toBeNull();
    expect(whyNotAllowed('am.internal', '10.0.0.9', rules)).toMatch(/deny/);
    expect(whyNotAllowed('vault.internal', '10.1.0.1', rules)).toMatch(/deny/);
    expect(whyNotAllowed('mapped', '::ffff:10.0.0.9', rules)).toMatch(/deny/);
  });

  it('denies every address of a denied network in each of its spellings', () => {
    fc.assert(
      fc.property(fc.nat(255), fc.nat(255), (c, d) => {
        const hex = ((c << 8) | d).toString(16);
        for (const spelling of [`169.254.${c}.${d}`, `::ffff:169.254.${c}.${d}`, `::ffff:a9fe:${hex}`])
          expect(whyNotAllowed('h', spelling, ANY)).not.toBeNull();
      }),
    );
  });

  it('knows entries that nobody can mean', () => {
    for (const good of ['10.0.0.0/8', '::1', 'fd00::/8', '*.example.com', 'am'])
      expect(isOutgoingEntry(good)).toBe(true);
    for (const bad of [
      '',
      '::1/129',
      'fe80::1%eth0',
      '10.0.0.0/',
      'http://am',
      '10.0.0.0/33',
      '10.0.0.0/x',
      'a b',
      '10.0.0.0/8/8',
    ])
      expect(isOutgoingEntry(bad)).toBe(false);
  });
});
