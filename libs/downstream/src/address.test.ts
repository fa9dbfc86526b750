import { describe, expect, test } from '@jest/globals';
import { addressKind, mayCall, readRanges } from './address.ts';

describe('an address', () => {
  test.each([
    ['8.8.8.8', 'public'],
    ['2606:4700::1111', 'public'],
    ['::ffff:8.8.8.8', 'public'],
    ['64:ff9b::808:808', 'public'],
    ['127.0.0.1', 'private'],
    ['127.255.255.254', 'private'],
    ['10.1.2.3', 'private'],
    ['172.31.0.1', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['::1', 'private'],
    ['fc00::1', 'private'],
    ['fdff::1', 'private'],
    ['::ffff:127.0.0.1', 'private'],
    ['::ffff:7f00:1', 'private'],
    ['64:ff9b::7f00:1', 'private'],
    ['64:ff9b:1::a00:1', 'private'],
    ['169.254.169.254', 'forbidden'],
    ['169.254.0.1', 'forbidden'],
    ['::ffff:a9fe:a9fe', 'forbidden'],
    ['64:ff9b::a9fe:a9fe', 'forbidden'],
    ['64:ff9b:1::a9fe:a9fe', 'forbidden'],
    ['2002:a9fe:a9fe::', 'forbidden'],
    ['2002:7f00:1::', 'forbidden'],
    ['2001:0:4136:e378::1', 'forbidden'],
    ['::ffff:0:169.254.169.254', 'forbidden'],
    ['::7f00:1', 'forbidden'],
    ['::169.254.169.254', 'forbidden'],
    ['fe80::1', 'forbidden'],
    ['fe80::1%eth0', 'forbidden'],
    ['febf::1', 'forbidden'],
    ['fec0::1', 'forbidden'],
    ['fd00:ec2::254', 'forbidden'],
    ['100.100.100.200', 'forbidden'],
    ['168.63.129.16', 'forbidden'],
    ['0.0.0.0', 'forbidden'],
    ['0.1.2.3', 'forbidden'],
    ['::', 'forbidden'],
    ['224.0.0.1', 'forbidden'],
    ['239.255.255.255', 'forbidden'],
    ['ff02::1', 'forbidden'],
    ['255.255.255.255', 'forbidden'],
    ['240.0.0.1', 'forbidden'],
    ['192.0.2.1', 'forbidden'],
    ['2001:db8::1', 'forbidden'],
    ['4000::1', 'forbidden'],
    ['', 'forbidden'],
    ['localhost', 'forbidden'],
  ])('%s is %s', (address, kind) => {
    expect(addressKind(address)).toBe(kind);
  });

  test.each([
    ['10.1.2.3', true],
    ['::ffff:10.1.2.3', true],
    ['64:ff9b::a01:203', true],
    ['fd12::1', true],
    ['8.8.8.8', true],
    ['127.0.0.1', false],
    ['::1', false],
    ['192.168.0.1', false],
    ['169.254.169.254', false],
    ['fd00:ec2::254', false],
  ])('%s, where 10/8, fd00::/8 and the link-local range are named, may be called: %s', (address, may) => {
    expect(mayCall(address, readRanges(['10.0.0.0/8', 'fd00::/8', '169.254.0.0/16']))).toBe(may);
  });

  test('of a range that is none is refused by name', () => {
    expect(() => readRanges(['10.0.0.0/8', '10.0.0.0'])).toThrow('"10.0.0.0" is no range');
  });
});
