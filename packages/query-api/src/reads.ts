import { type Evidence, isWaymarkError, WaymarkError } from '@waymark/protocol';
import type { CID } from 'multiformats/cid';
import {
  maxFastRecords,
  maxHitsPerAnswer,
  maxHitsPerQuery,
  maxProofBytesPerAnswer,
  type JsonObject,
} from './limits.ts';
import type { IndexHit, Query, QueryIndex, QueryKeys, RecordProofs } from './ports.ts';

/** A hit as it travels. */
export interface HitMessage {
  readonly recordOid: string;
  readonly evidenceId: string;
  readonly leafIndex: number;
  readonly cid: string;
  /** Of a record of the private ledger, when proofs were asked for: base64url; null when it is to be asked for by itself. */
  readonly proof?: string | null;
}

/** What a look-up answers beside hints. */
export interface LookUpOptions {
  /** Proofs of the records that are in the firm's private ledger (S7). */
  readonly proofs?: boolean;
}

/** What shows that a record is in the private ledger, as it travels. */
export interface ProofMessage {
  readonly recordOid: string;
  /** Base64url. */
  readonly proof: string;
}

/** The reads, without their transport. */
export interface Reads {
  lookUp(
    queries: readonly Query[],
    options?: LookUpOptions,
  ): Promise<{ results: { hits: HitMessage[]; more: boolean }[] }>;
  handOverKeys(
    encryptionKey: JsonObject,
    consignments: readonly { consignmentOid: string; epoch: number }[],
  ): Promise<{ ownerKid: string; keys: { consignmentOid: string; epoch: number; jwe: string }[] }>;
  fastQuery(encryptionKey: JsonObject, query: Query): Promise<FastAnswer>;
  evidence(evidenceId: string): Evidence;
  /** The proof of one record, base64url. @throws WaymarkError refused: the private ledger does not have it */
  proof(recordOid: string): Promise<ProofMessage>;
}

/** S8: everything in one answer, and nothing promised. */
export interface FastAnswer {
  readonly trust: 'unverified';
  readonly ownerKid: string;
  readonly records: readonly (HitMessage & { envelope: string; jwe: string })[];
}

/** What the reads are made of. */
export interface ReadsParts {
  readonly index: QueryIndex;
  readonly keys: QueryKeys;
  readonly content: { get(cid: CID): Promise<Uint8Array> };
  /** Of a node that has the firm's private ledger. */
  readonly proofs?: RecordProofs | undefined;
}

/** Builds the reads over a node's index, keys and content store. */
export function createReads({ index, keys, content, proofs }: ReadsParts): Reads {
  const find = async (query: Query, limit: number): Promise<readonly IndexHit[]> => {
    if ('recordOid' in query) {
      const hit = await index.findByOid(Buffer.from(query.recordOid, 'hex'));
      return hit === undefined ? [] : [hit];
    }
    return index.findByToken(keys.token(query.type, query.value), limit);
  };
  const keyFor = async (consignmentOid: Uint8Array, epoch: number, encryptionKey: JsonObject): Promise<string> => {
    const consignmentKey = await keys.consignmentKey(consignmentOid, epoch);
    return keys.wrap({ consignmentKey, consignmentOid, epoch, encryptionKey });
  };

  return {
    async lookUp(queries, options = {}) {
      let left = maxHitsPerAnswer;
      const proven = options.proofs === true ? withProofs(proofs) : (hit: IndexHit) => toMessage(hit);
      const results = [];
      for (const query of queries) {
        const limit = Math.min(maxHitsPerQuery, left);
        const found = await find(query, limit + 1);
        const hits: HitMessage[] = [];
        for (const hit of found.slice(0, limit)) hits.push(await proven(hit));
        left -= hits.length;
        results.push({ hits, more: found.length > limit });
      }
      return { results };
    },

    async handOverKeys(encryptionKey, consignments) {
      const answer = [];
      for (const { consignmentOid, epoch } of consignments) {
        const jwe = await keyFor(Buffer.from(consignmentOid, 'hex'), epoch, encryptionKey);
        answer.push({ consignmentOid, epoch, jwe });
      }
      return { ownerKid: keys.ownerKid, keys: answer };
    },

    async fastQuery(encryptionKey, query) {
      const found = await find(query, maxFastRecords + 1);
      if (found.length > maxFastRecords) {
        throw new WaymarkError(
          'limit-exceeded',
          `More than ${String(maxFastRecords)} records match; look them up and read them singly.`,
        );
      }
      const wrapped = new Map<string, Promise<string>>();
      const records = await Promise.all(
        found.map(async (hit) => {
          const envelope = await content.get(hit.cid);
          const { consignmentOid, epoch } = placeOf(keys, envelope);
          const name = `${Buffer.from(consignmentOid).toString('hex')}/${String(epoch)}`;
          const jwe = wrapped.get(name) ?? keyFor(consignmentOid, epoch, encryptionKey);
          wrapped.set(name, jwe);
          return { ...toMessage(hit), envelope: Buffer.from(envelope).toString('base64'), jwe: await jwe };
        }),
      );
      return { trust: 'unverified', ownerKid: keys.ownerKid, records };
    },

    evidence(evidenceId) {
      const found = index.evidence(evidenceId);
      if (found === undefined)
        throw new WaymarkError('refused', 'There is no such evidence, or it is not yours to see.');
      return found;
    },

    async proof(recordOid) {
      const bytes = await proofs?.prove(Buffer.from(recordOid, 'hex'));
      if (bytes === undefined)
        throw new WaymarkError('refused', 'There is no such record in the private ledger, or it is not yours to see.');
      return { recordOid, proof: Buffer.from(bytes).toString('base64url') };
    },
  };
}

/** Hits with their proofs, as long as those fit one answer. A proof that cannot be had fails its own record, and that one only: when it is asked for by itself. */
function withProofs(proofs: RecordProofs | undefined): (hit: IndexHit) => Promise<HitMessage> {
  let leftBytes = maxProofBytesPerAnswer;
  return async (hit) => {
    const message = toMessage(hit);
    if (proofs === undefined || !(await proofs.has(hit.recordOid))) return message;
    const bytes = leftBytes > 0 ? await proofs.prove(hit.recordOid).catch(noProof) : undefined;
    if (bytes === undefined) return { ...message, proof: null };
    leftBytes -= bytes.length;
    return { ...message, proof: Buffer.from(bytes).toString('base64url') };
  };
}

function noProof(error: unknown): undefined {
  if (!isWaymarkError(error)) throw error;
}

/** An index that was altered may point at a block that is no envelope at all. */
function placeOf(keys: QueryKeys, envelope: Uint8Array): { consignmentOid: Uint8Array; epoch: number } {
  try {
    return keys.envelopePlace(envelope);
  } catch (cause) {
    if (isWaymarkError(cause, 'data-abnormal')) throw cause;
    throw new WaymarkError('data-abnormal', 'What lies under this address is not an envelope.', { cause });
  }
}

function toMessage(hit: IndexHit): HitMessage {
  return {
    recordOid: Buffer.from(hit.recordOid).toString('hex'),
    evidenceId: hit.evidenceId,
    leafIndex: hit.leafIndex,
    cid: hit.cid.toString(),
  };
}
