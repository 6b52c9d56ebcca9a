import { readFileSync } from 'node:fs';
import { createGatewaySource, type GatewayContentSource } from '@waymark/content';
import { fromFailure } from '@waymark/transport';
import { createTrustedReader, type Hint, type TrustedReader, type TrustedReaderParts } from '@waymark/reading';
import {
  restClient,
  type RestAnswer,
  type RestClient,
  type TestFirm,
  type TestIdentity,
} from '@waymark/testing/consortium';
import { certificateVerifier, generateEncryptionKeyPair, unwrapConsignmentKey } from '@waymark/vault';

/** A reader of a firm, put together as the SDK does it: index and keys from the firm's services, proof from the channel. */
export interface TestReader {
  readonly rest: RestClient;
  readonly reader: TrustedReader;
  readonly encryptionKey: ReturnType<typeof generateEncryptionKeyPair>;
  /** What the index says. @throws WaymarkError as the service answered */
  lookUp(query: LookupQuery): Promise<Hint[]>;
  /** Looks up and reads the first hit by trusted query. */
  trusted(query: LookupQuery): ReturnType<TrustedReader['read']>;
  close(): Promise<void>;
}

/** What is asked for. */
export type LookupQuery = { readonly type: string; readonly value: string } | { readonly recordOid: string };

/** The answer's body, or the error that it stands for. */
export function bodyOf(answer: RestAnswer): Readonly<Record<string, unknown>> {
  if (answer.status === 200 && answer.body !== undefined) return answer.body;
  throw fromFailure({ code: String(answer.body?.['code']), message: JSON.stringify(answer.body?.['detail']) });
}

/** Connects a reader. */
export function testReader(
  firm: TestFirm,
  channel: string,
  identity: TestIdentity,
  ports: { readonly indexPort: number; readonly keysPort: number; readonly contentPort: number },
  parts: Partial<TrustedReaderParts> = {},
): TestReader {
  const rest = restClient(firm, ports.indexPort, identity);
  const keysOf = restClient(firm, ports.keysPort, identity);
  const encryptionKey = generateEncryptionKeyPair('X25519');
  const content: GatewayContentSource = createGatewaySource({
    baseUrl: `https://127.0.0.1:${String(ports.contentPort)}`,
    tls: {
      ca: firm.organisation.gateway.tlsRootCertPem,
      certificate: identity.certificatePem,
      privateKey: identity.privateKeyPem,
    },
  });
  const verifier = certificateVerifier({ rootsPem: [readFileSync(firm.rootFile, 'utf8')] });
  const reader = createTrustedReader({
    ledger: firm.ledgerAs(identity),
    content,
    verifierOf: (msp) => (msp === firm.mspId ? verifier : undefined),
    keys: {
      async consignmentKeys(places) {
        const consignments = places.map(({ consignmentOid, epoch }) => ({
          consignmentOid: Buffer.from(consignmentOid).toString('hex'),
          epoch,
        }));
        const body = bodyOf(
          await keysOf('POST', '/v1/keys', { encryptionKey: encryptionKey.publicKey.jwk, consignments }),
        );
        const { ownerKid, keys } = body as { ownerKid: string; keys: { jwe: string }[] };
        return Promise.all(
          places.map(({ msp, consignmentOid, epoch }, index) =>
            unwrapConsignmentKey(keys[index]?.jwe ?? '', {
              context: { channel, msp, consignmentOid, epoch },
              ownerKid,
              reader: encryptionKey,
            }),
          ),
        );
      },
    },
    ...parts,
  });

  async function lookUp(query: LookupQuery): Promise<Hint[]> {
    const body = bodyOf(await rest('POST', '/v1/lookups', { queries: [query] }));
    const { results } = body as { results: { hits: (Omit<Hint, 'recordOid'> & { recordOid: string })[] }[] };
    return (results[0]?.hits ?? []).map((hit) => ({ ...hit, recordOid: Buffer.from(hit.recordOid, 'hex') }));
  }

  return {
    rest,
    reader,
    encryptionKey,
    lookUp,
    async trusted(query) {
      const [hint] = await lookUp(query);
      if (hint === undefined) throw new Error('the index has no such record');
      return reader.read(hint, query);
    },
    close: () => content.close(),
  };
}
