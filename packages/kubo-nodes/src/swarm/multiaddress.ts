import { isIP } from 'node:net';
import { WaymarkError } from '@waymark/protocol';

const hostNamePattern = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,62})(?:\.[a-z0-9][a-z0-9-]{0,62})*$/i;

/**
 * Multiaddress of a TCP port.
 *
 * @param host IP address or host name
 * @throws WaymarkError `configuration-invalid`
 */
export function tcpAddress(host: string, port: number): string {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new WaymarkError('configuration-invalid', 'A port is a number from 1 to 65535.', { details: { port } });
  }
  const family = isIP(host);
  if (family === 4) return `/ip4/${host}/tcp/${port}`;
  if (family === 6) return `/ip6/${host}/tcp/${port}`;
  if (hostNamePattern.test(host)) return `/dns4/${host}/tcp/${port}`;
  throw new WaymarkError('configuration-invalid', 'This is neither an IP address nor a host name.', {
    details: { host },
  });
}

/** As `tcpAddress`, for an address to listen on: that must be an IP address. */
export function listenAddress(host: string, port: number): string {
  if (isIP(host) !== 0) return tcpAddress(host, port);
  throw new WaymarkError('configuration-invalid', 'kubo listens on an IP address.', { details: { host } });
}
