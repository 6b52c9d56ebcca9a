import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import { readTextFile } from '@waymark/service-kit';
import {
  type BatchReceipt,
  type BidiStream,
  callUnary,
  CenterClient,
  clientCredentials,
  clientOptions,
  type ExternalAnswer,
  type ExternalQuery,
  openBidi,
  type SealedBatch,
  type TlsIdentity,
} from '@waymark/transport';
import { type CertificateVerifier, type TransportPublicKey, verifyTransportKey } from '@waymark/vault';
import type { Position } from '../outbox/outbox.ts';

/** With several centers one that does not answer within this time is passed over. */
const passOverMs = 5_000;
const aloneMs = 30_000;

/** Where one of the firm's centers is. */
export interface CenterPlace {
  /** host:port of its gRPC service. */
  readonly endpoint: string;
  readonly tlsRootFile: string;
  /** If not given it is learned once this center has been in office. */
  readonly enrolmentId?: string;
}

/** The center that was in office when it was asked for. */
export interface CenterInOffice {
  readonly enrolmentId: string;
  readonly key: TransportPublicKey;
  /** The last batch of this outlet that it has. */
  position(): Promise<Position>;
  openUpload(): BidiStream<SealedBatch, BatchReceipt>;
  answerQueries(): BidiStream<ExternalAnswer, ExternalQuery>;
  /** Aborted as soon as another center is found in office. */
  readonly left: AbortSignal;
}

/** The firm's centers, of which one at a time is in office; an outlet without private ledger has one. */
export interface Centers {
  /**
   * The one in office: the last one known to be, then whom the others name, then each in turn.
   * @throws WaymarkError unavailable: none says that it is
   */
  inOffice(signal?: AbortSignal): Promise<CenterInOffice>;
  /** Takes over what a failed call says about who is in office. */
  heard(error: unknown): void;
  /** How many there are. */
  readonly count: number;
}

/** Centers over gRPC, with the outlet's own certificate. */
export interface CenterLinks extends Centers {
  close(): void;
}

/** What connecting needs. */
export interface CentersParts {
  /** 1 to 8; the first is tried first. */
  readonly endpoints: readonly CenterPlace[];
  readonly identity: TlsIdentity;
  readonly channel: string;
  readonly msp: string;
  readonly verifier: CertificateVerifier;
  /** Whether an enrolment id is that of a registered center. @throws WaymarkError */
  readonly checkCenter: (enrolmentId: string) => void;
  readonly nowMs: () => number;
}

interface Link {
  readonly client: CenterClient;
  enrolmentId: string | undefined;
}

/** Connects lazily; a center that is away shows in the calls. */
export function connectCenters(parts: CentersParts): CenterLinks {
  const links: Link[] = parts.endpoints.map(({ endpoint, tlsRootFile, enrolmentId }) => ({
    client: new CenterClient(endpoint, clientCredentials([readTextFile(tlsRootFile)], parts.identity), clientOptions()),
    enrolmentId,
  }));
  const deadlineMs = links.length > 1 ? passOverMs : aloneMs;
  let preferred = links[0];
  let now: { readonly link: Link; readonly leaving: AbortController } | undefined;

  const named = (error: unknown): Link | undefined => {
    const center = isWaymarkError(error, 'unavailable') ? error.details['center'] : undefined;
    return center === undefined ? undefined : links.find(({ enrolmentId }) => enrolmentId === center);
  };

  async function ask(link: Link, signal: AbortSignal | undefined): Promise<CenterInOffice> {
    const { client } = link;
    const options = { deadlineMs, ...(signal === undefined ? {} : { signal }) };
    const { statement } = await callUnary(client.getTransportKey.bind(client), {}, options);
    const { channel, msp, verifier } = parts;
    const key = verifyTransportKey(statement, { channel, msp, verifier, nowMs: parts.nowMs() });
    parts.checkCenter(key.center);
    link.enrolmentId = key.center;
    preferred = link;
    if (now?.link !== link) {
      now?.leaving.abort();
      now = { link, leaving: new AbortController() };
    }
    return {
      enrolmentId: key.center,
      key,
      async position() {
        const { seq, batchHash } = await callUnary(client.getPosition.bind(client), {}, options);
        if (batchHash.length === 32) return { seq, batchHash };
        throw new WaymarkError('input-invalid', 'The center gave a position of another form.');
      },
      openUpload: () => openBidi(client.upload()),
      answerQueries: () => openBidi(client.answerQueries()),
      left: now.leaving.signal,
    };
  }

  return {
    count: links.length,
    async inOffice(signal) {
      const untried = new Set(links);
      let failure: unknown;
      for (let link = preferred; link !== undefined;) {
        untried.delete(link);
        try {
          return await ask(link, signal);
        } catch (error) {
          if (signal?.aborted === true) throw error;
          // What is wrong with the outlet itself says more than that a center is away.
          if (failure === undefined || isWaymarkError(failure, 'unavailable')) failure = error;
          const next = named(error);
          link = next !== undefined && untried.has(next) ? next : untried.values().next().value;
        }
      }
      throw failure;
    },
    heard(error) {
      preferred = named(error) ?? preferred;
    },
    close() {
      for (const { client } of links) client.close();
    },
  };
}
