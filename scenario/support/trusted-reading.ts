import { readFile } from 'node:fs/promises';
import { createGatewaySource } from '@waymark/content';
import { connectGateway, type Ledger, privateKeySigner } from '@waymark/fabric';
import { toHex } from '@waymark/protocol';
import { createTrustedReader, type Hint, type ReadOutcome } from '@waymark/reading';
import {
  certificateVerifier,
  type EncryptionKeyPair,
  parseEncryptionKeyPair,
  type StoredEncryptionKey,
  unwrapConsignmentKey,
} from '@waymark/vault';
import { type RestClient, restClient } from './rest-client.ts';
import type { Firm, Identity, RunningConsortium } from './running-consortium.ts';

const maxPerRequest = 500;

/** What people ask for. */
export type Query = { readonly type: string; readonly value: string } | { readonly recordOid: string };

/** A reader of one firm: looks up at the outlet, proves against the channel, opens with keys the outlet hands over. */
export interface TrustedReading {
  readonly rest: RestClient;
  readonly ledger: Ledger;
  readonly encryptionKey: EncryptionKeyPair;
  /** Consignment keys that the outlet handed over so far. */
  readonly consignmentKeys: readonly Uint8Array[];
  /** For every query, what every hit came to. */
  trace(queries: readonly Query[]): Promise<ReadOutcome[][]>;
  close(): Promise<void>;
}

interface LookupAnswer {
  readonly results: readonly {
    readonly hits: readonly {
      recordOid: string;
      evidenceId: string;
      leafIndex: number;
      cid: string;
      proof?: string | null;
    }[];
  }[];
}

/** The channel as `identity` of the firm. */
export function connectLedger(firm: Firm, identity: Identity): Ledger {
  return connectGateway({
    endpoint: firm.gateway.endpoint,
    tlsRootPem: firm.gateway.tlsRootPem,
    identity: {
      mspId: firm.mspId,
      certificatePem: identity.certificatePem,
      sign: privateKeySigner(identity.privateKeyPem),
    },
    channel: firm.channel,
    chaincode: 'waymark',
  });
}

/** Connects as the firm's reader. */
export async function openTrustedReading({ consortium }: RunningConsortium, firm: Firm): Promise<TrustedReading> {
  const identity = await firm.identity('reader');
  const stored = JSON.parse(
    await readFile(consortium.layout.node(firm.organisation, 'reader').encryptionKey, 'utf8'),
  ) as { encryption: StoredEncryptionKey };
  const reader = parseEncryptionKeyPair(stored.encryption);
  const rest = restClient(firm, firm.ports.outlet.apiPort, identity);
  const ledger = connectLedger(firm, identity);
  const content = createGatewaySource({
    baseUrl: `https://127.0.0.1:${String(firm.ports.outlet.apiPort)}`,
    tls: { ca: firm.tlsRootPem, certificate: identity.certificatePem, privateKey: identity.privateKeyPem },
  });
  const verifier = certificateVerifier({ rootsPem: [firm.rootPem], intermediatesPem: [] });
  const handed: Uint8Array[] = [];
  const trusted = createTrustedReader({
    ledger,
    content,
    verifierOf: (msp) => (msp === firm.mspId ? verifier : undefined),
    keys: {
      async consignmentKeys(places) {
        const answer = await ask<{ ownerKid: string; keys: { jwe: string }[] }>(rest, '/v1/keys', {
          encryptionKey: reader.publicKey.jwk,
          consignments: places.map(({ consignmentOid, epoch }) => ({ consignmentOid: toHex(consignmentOid), epoch })),
        });
        const keys = await Promise.all(
          places.map(({ msp, consignmentOid, epoch }, index) =>
            unwrapConsignmentKey(answer.keys[index]?.jwe ?? '', {
              context: { channel: firm.channel, msp, consignmentOid, epoch },
              ownerKid: answer.ownerKid,
              reader,
            }),
          ),
        );
        handed.push(...keys);
        return keys;
      },
    },
  });

  /** The proof that came with a hit; asked for again when the channel has overtaken it. */
  function proofOf({ recordOid, proof }: LookupAnswer['results'][number]['hits'][number]): Hint['proof'] {
    if (proof === undefined) return undefined;
    let given = proof;
    return async () => {
      const text = given ?? (await ask<{ proof: string }>(rest, `/v1/records/${recordOid}/proof`)).proof;
      given = null;
      return Buffer.from(text, 'base64url');
    };
  }

  async function tracePage(queries: readonly Query[]): Promise<ReadOutcome[][]> {
    const { results } = await ask<LookupAnswer>(rest, '/v1/lookups', { queries, proofs: true });
    const wanted = results.flatMap(({ hits }, index) =>
      hits.map((hit) => {
        const hint: Hint = { ...hit, recordOid: Buffer.from(hit.recordOid, 'hex'), proof: proofOf(hit) };
        const asked = queries[index];
        return { index, item: asked === undefined ? { hint } : { hint, asked } };
      }),
    );
    const outcomes = await trusted.readMany(wanted.map(({ item }) => item));
    const found = queries.map((): ReadOutcome[] => []);
    wanted.forEach(({ index }, position) => {
      const outcome = outcomes[position];
      if (outcome !== undefined) found[index]?.push(outcome);
    });
    return found;
  }

  return {
    rest,
    ledger,
    encryptionKey: reader,
    consignmentKeys: handed,
    async trace(queries) {
      const found: ReadOutcome[][] = [];
      for (let start = 0; start < queries.length; start += maxPerRequest) {
        found.push(...(await tracePage(queries.slice(start, start + maxPerRequest))));
      }
      return found;
    },
    async close() {
      ledger.close();
      await content.close();
    },
  };
}

async function ask<T>(rest: RestClient, path: string, body?: unknown): Promise<T> {
  const { status, text, body: answer } = await rest(body === undefined ? 'GET' : 'POST', path, body);
  if (status !== 200 || answer === undefined)
    throw new Error(`${path} answered ${String(status)}: ${text.slice(0, 300)}`);
  return answer as T;
}
