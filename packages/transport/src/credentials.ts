import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import { WaymarkError } from '@waymark/protocol';

/** A certificate chain with its private key, as PEM text. */
export interface TlsIdentity {
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
}

/**
 * Credentials of a server that lets in only clients whose certificate was issued by one of `clientCaPems` (mutual TLS).
 *
 * @throws WaymarkError `configuration-invalid` when a PEM does not parse or no CA is given.
 */
export function serverCredentials(identity: TlsIdentity, clientCaPems: readonly string[]): ServerCredentials {
  if (clientCaPems.length === 0)
    throw new WaymarkError('configuration-invalid', 'mutual TLS needs at least one client CA');
  const keyPair = {
    private_key: Buffer.from(identity.privateKeyPem),
    cert_chain: Buffer.from(identity.certificateChainPem),
  };
  return attempt(() => ServerCredentials.createSsl(joined(clientCaPems), [keyPair], true));
}

/**
 * Credentials of a client that trusts servers certified by `serverCaPems` and shows `identity` when it has one.
 *
 * @throws WaymarkError `configuration-invalid` when a PEM does not parse or no CA is given.
 */
export function clientCredentials(serverCaPems: readonly string[], identity?: TlsIdentity): ChannelCredentials {
  if (serverCaPems.length === 0) throw new WaymarkError('configuration-invalid', 'TLS needs at least one server CA');
  return attempt(() =>
    identity === undefined
      ? ChannelCredentials.createSsl(joined(serverCaPems))
      : ChannelCredentials.createSsl(
          joined(serverCaPems),
          Buffer.from(identity.privateKeyPem),
          Buffer.from(identity.certificateChainPem),
        ),
  );
}

interface WithAuthContext {
  getAuthContext(): { readonly sslPeerCertificate?: { readonly raw?: Buffer } };
}

/**
 * DER of the certificate the peer proved to hold in the TLS handshake, or undefined without mutual TLS. It was verified
 * against the server's client CAs; what the holder may do is for the caller to decide.
 */
export function peerCertificate(call: WithAuthContext): Uint8Array | undefined {
  const raw = call.getAuthContext().sslPeerCertificate?.raw;
  return raw === undefined ? undefined : new Uint8Array(raw);
}

function joined(pems: readonly string[]): Buffer {
  return Buffer.from(pems.map((pem) => (pem.endsWith('\n') ? pem : pem + '\n')).join(''));
}

function attempt<T>(create: () => T): T {
  try {
    return create();
  } catch (cause) {
    throw new WaymarkError('configuration-invalid', 'a TLS certificate or key does not parse', { cause });
  }
}
