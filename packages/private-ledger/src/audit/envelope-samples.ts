import { createFactStore, type EnvelopeFinding, type FactStore, gatherFacts, type GatherOptions } from '@waymark/audit';
import { type BlockReader, createGatewaySource } from '@waymark/content';
import { attachmentOf } from '@waymark/ledger-member';
import { decodeCid, isWaymarkError } from '@waymark/protocol';
import type { AppendMessage, Candidate, MemberId, Message, SealedBlock, Submission } from '@waymark/rsl';
import type { Logger } from '@waymark/service-kit';
import { readEnvelopeHeader } from '@waymark/vault';
import type { LedgerMembers } from '../configuration/members-file.ts';
import { createAllowance } from './allowance.ts';

/** What came of a look at one submission; whether what was read is right the audit says. `unreachable`: nothing was found out. */
export type LookOutcome = 'read' | 'absent' | 'malformed' | 'unreachable';

/** A center's content store, as a department reads it. */
export type EnvelopeSource = Pick<BlockReader, 'get'> & { close(): Promise<void> };

/** What looking at envelopes is made of. */
export interface EnvelopeSamplesParts {
  /** How many records of each submission are looked at; 0: none. */
  readonly records: number;
  /** How many submissions in a second at most, so that under load the way of a record does not get longer. */
  readonly maxPerSecond: number;
  /** For one candidate, all of its submissions at once. */
  readonly timeoutMs: number;
  readonly members: Pick<LedgerMembers, 'current'>;
  /** A block that this member holds in memory, sealed. */
  readonly block: (height: number) => SealedBlock | null;
  readonly standingOf: GatherOptions['standingOf'];
  /** What this member shows to the centers. */
  readonly identityPem: { readonly certificateChainPem: string; readonly privateKeyPem: string };
  readonly logger: Logger;
  readonly onLooked?: (outcome: LookOutcome) => void;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
  /** From 0 up to 1. Default `Math.random`. */
  readonly random?: () => number;
  /** Default: the center's gateway. */
  readonly open?: (apiUrl: string, tlsRootPem: string) => EnvelopeSource;
}

/**
 * A department's own look at envelopes, before it acknowledges a block (D6): whether the center in office really has those of a few records, drawn at random, and
 * whether they are what the batch says. Without an answer in time nothing is concluded.
 */
export interface EnvelopeSamples {
  /** Looks at what is new in a message; undefined when there is nothing to wait for. Never rejects. */
  prepare(message: Message): Promise<void> | undefined;
  /** For the audit. */
  readonly findings: FactStore;
  close(): Promise<void>;
}

/** After a center's content store did not answer it is not asked for so long: the ledger does not wait for it again and again. */
const restMs = 15_000;

/** See `EnvelopeSamples`. */
export function createEnvelopeSamples(parts: EnvelopeSamplesParts): EnvelopeSamples {
  const { records, members, logger, monotonicMs, random = Math.random, open = openGateway } = parts;
  const findings = createFactStore({ maxSubmissions: 1_024, whenFull: 'evict-oldest' });
  const allowance = createAllowance(parts.maxPerSecond, monotonicMs);
  const sources = new Map<string, EnvelopeSource>();
  const restsUntilMs = new Map<EnvelopeSource, number>();

  async function look(source: EnvelopeSource, candidate: Candidate, submissions: readonly Submission[]): Promise<void> {
    const results = await Promise.allSettled(
      submissions.map(async (submission) => {
        const found = await gatherFacts(submission, {
          rules: [],
          attachmentOf,
          standingOf: parts.standingOf,
          sample: { records, random },
          ports: { envelope: ({ cid }, signal) => readFrom(source, cid, signal) },
          nowMs: parts.nowMs(),
          timeoutMs: parts.timeoutMs,
        });
        findings.put(submission.hash, found);
        parts.onLooked?.(outcomeOf([...found.findings.values()].map(({ envelope }) => envelope)));
      }),
    );
    for (const result of results) {
      // A malformed attachment is for the audit to say.
      if (result.status === 'fulfilled' || !isWaymarkError(result.reason, 'unavailable')) continue;
      restsUntilMs.set(source, monotonicMs() + restMs);
      parts.onLooked?.('unreachable');
      logger.warn('envelopes could not be looked at', { peer: candidate.center, error: result.reason });
      for (const submission of submissions.slice(0, 1)) void probe(source, submission);
      break;
    }
  }

  /** Asks once more, with time and with nobody waiting: a first connection takes longer than a look may, and an answer ends the rest. */
  async function probe(source: EnvelopeSource, submission: Submission): Promise<void> {
    try {
      for (const cid of attachmentOf(submission).cids.slice(0, 1))
        await readFrom(source, cid, AbortSignal.timeout(restMs));
      restsUntilMs.delete(source);
    } catch {
      // It rests.
    }
  }

  function sourceOf(center: MemberId): EnvelopeSource | undefined {
    const { apiUrl, tlsRootPem } = members.current().get(center) ?? {};
    if (apiUrl === undefined || tlsRootPem === undefined) return undefined;
    const name = `${apiUrl} ${tlsRootPem}`;
    const known = sources.get(name);
    if (known !== undefined) return known;
    const source = open(apiUrl, tlsRootPem);
    sources.set(name, source);
    return source;
  }

  function openGateway(apiUrl: string, tlsRootPem: string): EnvelopeSource {
    const { certificateChainPem, privateKeyPem } = parts.identityPem;
    return createGatewaySource({
      baseUrl: apiUrl,
      tls: { ca: tlsRootPem, certificate: certificateChainPem, privateKey: privateKeyPem },
    });
  }

  /** What a center did not have says nothing about another one that repeats its candidate. */
  function forget({ entries }: Pick<AppendMessage, 'entries'>): void {
    const content = entries.at(-1)?.candidate.content;
    if (findings.size === 0 || content?.kind !== 'records') return;
    for (const { submission } of content.audited) findings.forget(submission.hash);
  }

  return {
    findings,
    prepare(message) {
      if (records === 0 || (message.type !== 'append' && message.type !== 'blocks')) return undefined;
      const candidate = message.type === 'append' ? freshCandidate(message, parts.block) : undefined;
      if (candidate === undefined) {
        forget(message);
        return undefined;
      }
      const source = sourceOf(candidate.center);
      if (candidate.content.kind !== 'records' || source === undefined) return undefined;
      if (monotonicMs() < (restsUntilMs.get(source) ?? -Infinity)) return undefined;
      const unseen = candidate.content.audited
        .map(({ submission }) => submission)
        .filter(({ hash }) => !wasRead(findings, hash));
      const taken = drawn(unseen, allowance.take(unseen.length), random);
      return taken.length === 0 ? undefined : look(source, candidate, taken);
    },
    async close() {
      await Promise.all([...sources.values()].map((source) => source.close()));
    },
  };
}

/**
 * The candidate that the sender proposes anew: not what is sealed already, nor the first of a term, which may repeat what an earlier center had the envelopes of.
 */
function freshCandidate(
  { from, seal, entries }: AppendMessage,
  block: EnvelopeSamplesParts['block'],
): Candidate | undefined {
  const last = entries.at(-1);
  if (last === undefined || last.seal !== null || last.candidate.center !== from) return undefined;
  // What this member holds itself counts: nobody checks a seal that is shown for a block that is sealed here already.
  const own = block(last.candidate.height - 1)?.seal;
  const below = own ?? (entries.length > 1 ? entries.at(-2)?.seal : seal);
  return below?.header.term === last.candidate.term ? last.candidate : undefined;
}

/** What was absent may be there now. */
function wasRead(findings: FactStore, hash: string): boolean {
  const found = findings.get(hash);
  return found !== undefined && outcomeOf([...found.findings.values()].map(({ envelope }) => envelope)) !== 'absent';
}

function outcomeOf(envelopes: readonly EnvelopeFinding[]): LookOutcome {
  if (envelopes.includes('absent')) return 'absent';
  return envelopes.includes('malformed') ? 'malformed' : 'read';
}

async function readFrom(source: EnvelopeSource, cid: Uint8Array, signal: AbortSignal): Promise<EnvelopeFinding> {
  let bytes: Uint8Array;
  try {
    bytes = await source.get(decodeCid(cid), { signal });
  } catch (error) {
    // The center that proposes the record says itself that it does not have its envelope.
    if (isWaymarkError(error, 'unavailable') && error.details['reason'] === 'missing') return 'absent';
    throw error;
  }
  try {
    const { channel, msp, outlet, recordOid, schema, collectedMs } = readEnvelopeHeader(bytes);
    // A copy: the bytes that it is a part of are not kept.
    return { channel, msp, outlet, recordOid: Uint8Array.from(recordOid), schema, collectedMs };
  } catch (error) {
    if (isWaymarkError(error, 'data-abnormal')) return 'malformed';
    throw error;
  }
}

/** So many of them, at random. */
function drawn<T>(items: readonly T[], count: number, random: () => number): readonly T[] {
  if (count >= items.length) return items;
  const left = [...items];
  return Array.from({ length: count }, () => left.splice(Math.floor(random() * left.length), 1)).flat();
}
