import ipaddr from 'ipaddr.js';
import { isIP } from 'node:net';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A range of addresses: its first, and how many bits name it. */
export type AddressRange = readonly [Address, number];

/** Where an address leads: to anybody, to somebody on our own network or machine, or nowhere that a call has any business. */
export type AddressKind = 'public' | 'private' | 'forbidden';

/** Services of clouds that hand out credentials to whoever asks, outside of the link-local range. */
const METADATA = ['100.100.100.200', '168.63.129.16', 'fd00:ec2::254'];
const PUBLIC_IPV6 = ipaddr.parseCIDR('2000::/3');
/** IPv4 addresses in IPv6 ones, in their last 32 bits (RFC 6052, RFC 8215, RFC 4291). */
const NAT64_LOCAL = ipaddr.parseCIDR('64:ff9b:1::/48');

/** Reads CIDR ranges. @throws RangeError that names one that is none */
export function readRanges(texts: readonly string[]): AddressRange[] {
  return texts.map((text) => {
    if (!ipaddr.isValidCIDR(text)) throw new RangeError(`"${text}" is no range of addresses such as 10.0.0.0/8`);
    return ipaddr.parseCIDR(text);
  });
}

/** The address that the host of a URL is; undefined when it is a name. */
export function literalAddress(hostname: string): string | undefined {
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(address) === 0 ? undefined : address;
}

/** Whether a name of a downstream may resolve to this address. */
export function mayCall(address: string, privateAddresses: readonly AddressRange[]): boolean {
  const kind = addressKind(address);
  if (kind !== 'private') return kind === 'public';
  const plain = withoutWrapping(ipaddr.parse(address));
  return privateAddresses.some(([range, bits]) => plain.kind() === range.kind() && plain.match(range, bits));
}

/** See {@link AddressKind}. What is no address is forbidden. */
export function addressKind(text: string): AddressKind {
  if (!ipaddr.isValid(text)) return 'forbidden';
  const address = withoutWrapping(ipaddr.parse(text));
  if (METADATA.some((metadata) => sameAddress(address, ipaddr.parse(metadata)))) return 'forbidden';
  switch (address.range()) {
    case 'unicast':
      // The library calls all unicast that it has no name for; outside of 2000::/3 nothing is given out (RFC 4291).
      return address.kind() === 'ipv4' || address.match(PUBLIC_IPV6[0], PUBLIC_IPV6[1]) ? 'public' : 'forbidden';
    case 'loopback':
    case 'private':
    case 'carrierGradeNat':
    case 'uniqueLocal':
      return 'private';
    default:
      // Also 6to4, Teredo and rfc6145, which lead to an IPv4 address by ways that are no longer in use.
      return 'forbidden';
  }
}

/** The IPv4 address that an IPv6 one stands for. */
function withoutWrapping(address: Address): Address {
  if (!(address instanceof ipaddr.IPv6)) return address;
  const range = address.range();
  const wraps =
    range === 'ipv4Mapped' || range === 'rfc6052' || address.match(NAT64_LOCAL[0] as ipaddr.IPv6, NAT64_LOCAL[1]);
  return wraps ? ipaddr.fromByteArray(address.toByteArray().slice(-4)) : address;
}

function sameAddress(a: Address, b: Address): boolean {
  return a.kind() === b.kind() && a.toNormalizedString() === b.toNormalizedString();
}
