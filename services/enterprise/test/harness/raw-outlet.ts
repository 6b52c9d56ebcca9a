import { randomBytes } from 'node:crypto';
import {
  batchHash,
  batchRoot,
  type BatchStatement,
  cidOfRaw,
  contentBytes,
  encodeBatchBlock,
  encodeBatchStatement,
  encryptCose,
  externalAad,
  ledgerName,
  signCose,
} from '@waymark/protocol';
import {
  type BatchReceipt,
  callUnary,
  CenterClient,
  clientCredentials,
  clientOptions,
  openBidi,
  type TlsIdentity,
} from '@waymark/transport';
import {
  certificateVerifier,
  randomId,
  sealEnvelope,
  sealSubmission,
  signingIdentityFromPem,
  type Submission,
  type SubmittedRecord,
  type TransportPublicKey,
  verifyTransportKey,
} from '@waymark/vault';
import { readFileSync } from 'node:fs';

/** The firm whose center is talked to. */
export interface RawOutletFirm {
  readonly mspId: string;
  /** CA of its certificates. */
  readonly rootFile: string;
  readonly organisation: { readonly gateway: { readonly tlsRootCertPem: string } };
}

/** Who an outlet says it is. */
export interface RawOutletIdentity {
  readonly enrolmentId: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** An outlet that is not ours: it builds each message by hand, so that a test can spoil one thing at a time. */
export interface RawOutlet {
  readonly identity: RawOutletIdentity;
  transportKey(): Promise<TransportPublicKey>;
  position(): Promise<{ seq: number; batchHash: Uint8Array }>;
  /** Sends sealed messages one after another on one stream; the first answer to each. */
  upload(...sealed: readonly Uint8Array[]): Promise<Answer[]>;
  close(): void;
}

/** First answer to a message. */
export interface Answer {
  readonly code: string;
  readonly receipt: Uint8Array;
}

/** What a test may change about a message. */
export interface Spoiled {
  /** Who signs; by default the outlet itself. */
  readonly signer?: RawOutletIdentity;
  readonly statement?: Partial<BatchStatement>;
  /** Outlet named in the envelopes. */
  readonly envelopeOutlet?: string;
  readonly envelopeMsp?: string;
  /** Changes the submission after it was signed. */
  readonly after?: (submission: Submission) => Submission;
  /** Number of records. */
  readonly count?: number;
}

/** A message and what it says. */
export interface Built {
  readonly submission: Submission;
  readonly sealed: Uint8Array;
  readonly batchHash: Uint8Array;
  readonly seq: number;
  /** The batch's block, as the center is going to store it. */
  readonly block: { readonly cid: string; readonly leaves: readonly string[] };
}

const collectedMs = Date.UTC(2026, 2, 1);

/** Connects to a center's gRPC port. */
export function rawOutlet(
  firm: RawOutletFirm,
  channel: string,
  grpcPort: number,
  identity: RawOutletIdentity,
  tls: TlsIdentity = { certificateChainPem: identity.certificatePem, privateKeyPem: identity.privateKeyPem },
): RawOutlet {
  const client = new CenterClient(
    `127.0.0.1:${String(grpcPort)}`,
    clientCredentials([firm.organisation.gateway.tlsRootCertPem], tls),
    clientOptions(),
  );
  const verifier = certificateVerifier({ rootsPem: [readFileSync(firm.rootFile, 'utf8')] });
  return {
    identity,
    async transportKey() {
      const { statement } = await callUnary(client.getTransportKey.bind(client), {});
      return verifyTransportKey(statement, { channel, msp: firm.mspId, verifier, nowMs: Date.now() });
    },
    position: () => callUnary(client.getPosition.bind(client), {}),
    async upload(...sealed) {
      const stream = openBidi(client.upload());
      const answers: Answer[] = [];
      const seen = new Set<number>();
      try {
        for (const [ref, bytes] of sealed.entries()) await stream.write({ ref, sealed: Buffer.from(bytes) });
        for await (const answer of stream.responses) {
          if (seen.has(answer.ref)) continue;
          seen.add(answer.ref);
          answers[answer.ref] = toAnswer(answer);
          if (seen.size === sealed.length) break;
        }
      } finally {
        stream.cancel();
      }
      return answers;
    },
    close: () => client.close(),
  };
}

function toAnswer({ receipt, failure }: BatchReceipt): Answer {
  return { code: failure?.code ?? 'accepted', receipt };
}

/** Builds a message as an outlet would, but for what is spoiled. */
export function buildMessage(
  parts: {
    readonly mspId: string;
    readonly channel: string;
    readonly identity: RawOutletIdentity;
    readonly key: TransportPublicKey;
    readonly previous: { readonly seq: number; readonly batchHash: Uint8Array };
  },
  spoiled: Spoiled = {},
): Built {
  const { mspId, channel, identity, key, previous } = parts;
  const signer = signingIdentityFromPem({ ...(spoiled.signer ?? identity), mspId });
  const records = Array.from({ length: spoiled.count ?? 1 }, () =>
    sealedRecord(channel, spoiled.envelopeMsp ?? mspId, spoiled.envelopeOutlet ?? identity.enrolmentId),
  );
  const statement: BatchStatement = {
    channel,
    msp: mspId,
    outlet: identity.enrolmentId,
    certificateDigest: signer.certificateDigest,
    ledger: ledgerName(mspId, channel),
    leaderKid: key.kid,
    seq: previous.seq + 1,
    prevBatchHash: previous.batchHash,
    root: rootOf(records),
    count: records.length,
    collectedFromMs: collectedMs,
    collectedToMs: collectedMs,
    sentAtMs: Date.now(),
    messageId: randomId(16),
    ...spoiled.statement,
  };
  const bytes = encodeBatchStatement(statement);
  const signed: Submission = {
    statement: bytes,
    signature: signCose(signer, { type: 'batch', channel }, bytes, true),
    records,
    keys: [],
  };
  const submission = spoiled.after?.(signed) ?? signed;
  const leaves = records.map(({ recordOid, envelope }) => ({ recordOid, cid: cidOfRaw(envelope) }));
  const { cid } = encodeBatchBlock({ statement: bytes, signature: signed.signature, leaves });
  const block = { cid: cid.toString(), leaves: leaves.map((leaf) => leaf.cid.toString()) };
  return {
    submission,
    sealed: sealFor(submission, channel, key),
    batchHash: batchHash(bytes),
    seq: statement.seq,
    block,
  };
}

/** Seals a submission to a transport key. */
export function sealFor(submission: Submission, channel: string, key: TransportPublicKey): Uint8Array {
  return sealSubmission(submission, { channel, kid: key.kid, publicKey: key.keyObject });
}

/** One sealed record with random ids. */
export function sealedRecord(channel: string, msp: string, outlet: string): SubmittedRecord {
  const recordOid = randomId(32);
  const { bytes } = sealEnvelope({
    channel,
    msp,
    outlet,
    consignmentOid: randomId(16),
    epoch: 0,
    ck: randomBytes(32),
    recordOid,
    schema: 'urn:waymark:test',
    collectedMs,
    content: contentBytes({
      eventId: 'e',
      revision: 0,
      schema: 'urn:waymark:test',
      businessIds: [],
      payload: { n: randomBytes(4).toString('hex') },
    }),
  });
  return { recordOid, envelope: bytes, tokens: [], contentTag: randomId(32) };
}

/** Merkle root of records. */
export function rootOf(records: readonly SubmittedRecord[]): Uint8Array {
  return batchRoot(records.map(({ recordOid, envelope }) => ({ recordOid, cid: cidOfRaw(envelope) })));
}

/** Seals arbitrary bytes as if they were a submission. */
export function sealBytes(bytes: Uint8Array, channel: string, key: TransportPublicKey): Uint8Array {
  return encryptCose({ kid: key.kid, publicKey: key.keyObject }, bytes, externalAad('submission', channel));
}
