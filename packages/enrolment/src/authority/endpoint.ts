import { WaymarkError } from '@waymark/protocol';

/** Where a Fabric CA is, and how its server is recognised. */
export interface AuthorityEndpoint {
  /** `https://host:port`; nothing behind the port. */
  readonly url: string;
  /** CAs of the server's TLS certificate, PEM. There is no default: those of the system are not asked. */
  readonly tlsRootPem?: string;
  /** Lets `http` through, to an address of this machine only. */
  readonly plainHttp?: boolean;
  /** Which CA of the server; default: its default one. */
  readonly name?: string;
}

/** A checked endpoint. */
export interface CheckedEndpoint {
  readonly protocol: 'http' | 'https';
  readonly hostname: string;
  readonly port: number;
  readonly tlsRootsPem: readonly string[];
  readonly name: string | undefined;
}

const defaultPort = 7054;
const loopback = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;

/** @throws WaymarkError configuration-invalid */
export function checkEndpoint({ url, tlsRootPem, plainHttp, name }: AuthorityEndpoint): CheckedEndpoint {
  const parsed = URL.parse(url);
  if (parsed === null || !['http:', 'https:'].includes(parsed.protocol)) throw invalid('is no http or https address');
  const { protocol, hostname, pathname, search, hash, username, password } = parsed;
  if (pathname !== '/' || `${search}${hash}${username}${password}` !== '') {
    throw invalid('has more than host and port; secrets come from files');
  }
  if (protocol === 'http:' && (plainHttp !== true || !loopback.test(hostname))) {
    throw invalid('is not protected by TLS; plain http is for an address of this machine, and has to be asked for');
  }
  if (protocol === 'https:' && (tlsRootPem === undefined || !tlsRootPem.includes('-----BEGIN CERTIFICATE-----'))) {
    throw invalid('needs the certificate of the CA behind its TLS certificate');
  }
  return {
    protocol: protocol === 'http:' ? 'http' : 'https',
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? defaultPort : Number(parsed.port),
    tlsRootsPem: tlsRootPem === undefined ? [] : [tlsRootPem],
    name,
  };
}

function invalid(reason: string): WaymarkError {
  return new WaymarkError('configuration-invalid', `The address of the certificate authority ${reason}.`);
}
