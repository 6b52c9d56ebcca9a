import { readTextFile } from '@waymark/service-kit';
import { WaymarkError } from '@waymark/protocol';
import {
  CenterClient,
  callUnary,
  clientCredentials,
  clientOptions,
  openBidi,
  type TlsIdentity,
} from '@waymark/transport';
import { type CertificateVerifier, verifyTransportKey } from '@waymark/vault';
import type { CenterConnection } from './uploader.ts';

/** The center over gRPC, with the outlet's own certificate. */
export interface CenterLink extends CenterConnection {
  readonly client: CenterClient;
  close(): void;
}

/** Connects lazily; a center that is away shows in the calls. */
export function connectCenter(parts: {
  readonly endpoint: string;
  readonly tlsRootFile: string;
  readonly identity: TlsIdentity;
  readonly channel: string;
  readonly msp: string;
  readonly verifier: CertificateVerifier;
  readonly checkCenter: (enrolmentId: string) => void;
  readonly nowMs: () => number;
}): CenterLink {
  const client = new CenterClient(
    parts.endpoint,
    clientCredentials([readTextFile(parts.tlsRootFile)], parts.identity),
    clientOptions(),
  );
  return {
    client,
    async transportKey() {
      const { statement } = await callUnary(client.getTransportKey.bind(client), {});
      const { channel, msp, verifier } = parts;
      const key = verifyTransportKey(statement, { channel, msp, verifier, nowMs: parts.nowMs() });
      parts.checkCenter(key.center);
      return key;
    },
    async position() {
      const { seq, batchHash } = await callUnary(client.getPosition.bind(client), {});
      if (batchHash.length !== 32)
        throw new WaymarkError('input-invalid', 'The center gave a position of another form.');
      return { seq, batchHash };
    },
    openUpload: () => openBidi(client.upload()),
    close: () => client.close(),
  };
}
