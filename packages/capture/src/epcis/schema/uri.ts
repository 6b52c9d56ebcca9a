/**
 * Absolute URIs as RFC 3986 (appendix A) writes them, less the empty path without an authority ("a:"), which names
 * nothing. EPCIS 2.0 demands a URI for every identifier and for the name of every extension; that it is a known EPC
 * scheme is not demanded, so other schemes pass.
 */
const unreservedAndDelims = "a-z0-9\\-._~!$&'()*+,;=";
const encoded = '%[0-9a-f]{2}';
const pathByte = `(?:[${unreservedAndDelims}:@]|${encoded})`;
const queryByte = `(?:[${unreservedAndDelims}:@/?]|${encoded})`;
const segments = `(?:/${pathByte}*)*`;

const parts = new RegExp(
  `^[a-z][a-z0-9+\\-.]*:(?://(?<authority>[^/?#]*)${segments}|/(?:${pathByte}+${segments})?|${pathByte}+${segments})(?:\\?${queryByte}*)?(?:#${queryByte}*)?$`,
  'i',
);
const authorityParts = new RegExp(
  `^(?:(?:[${unreservedAndDelims}:]|${encoded})*@)?(?:\\[(?<literal>[^\\]]*)\\]|(?:[${unreservedAndDelims}]|${encoded})*)(?::\\d*)?$`,
  'i',
);
const futureAddress = new RegExp(`^v[0-9a-f]+\\.[${unreservedAndDelims}:]+$`, 'i');

/** Whether `text` is an absolute URI (RFC 3986 section 4.3, with fragment allowed). */
export function isUri(text: string): boolean {
  const match = parts.exec(text);
  if (!match) return false;
  const authority = match.groups?.['authority'];
  return authority === undefined || isAuthority(authority);
}

function isAuthority(text: string): boolean {
  const match = authorityParts.exec(text);
  if (!match) return false;
  const literal = match.groups?.['literal'];
  return literal === undefined || isIpv6(literal) || futureAddress.test(literal);
}

const group = /^[0-9a-f]{1,4}$/i;
const dottedQuad = /^(?:(?:25[0-5]|2[0-4]\d|[01]?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|[01]?\d?\d)$/;

/** RFC 3986's IPv6address: eight groups of 16 bits, once shortened by "::", the last two perhaps as a dotted quad. */
function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1);
  let width = groups.length;
  // "::" may end the address, but a dotted quad may not stand before it.
  if (last !== undefined && dottedQuad.test(last) && !text.endsWith('::')) {
    groups.pop();
    width += 1;
  }
  if (!groups.every((part) => group.test(part))) return false;
  return halves.length === 2 ? width <= 7 : width === 8;
}
