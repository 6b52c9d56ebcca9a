import type { DecodedBlock, KeyWrite } from '@waymark/fabric';
import { WaymarkError, parseEvidence, type Evidence } from '@waymark/protocol';
import { z } from 'zod';
import {
  anchorSchema,
  ledgerCertificateSchema,
  ledgerConfigurationSchema,
  ledgerHeadSchema,
  privateLedgerSchema,
  reportSchema,
  type AnchorFacts,
  type LedgerCertificateFacts,
  type LedgerConfigurationFacts,
  type LedgerHeadFacts,
  type LedgerReportFacts,
  type PrivateLedgerFacts,
} from './ledger-facts.ts';

/** An admitted organisation, as the chaincode keeps it. */
export interface OrganisationFacts {
  readonly mspId: string;
  /** producer, carrier, seller, regulator. */
  readonly role: string;
  readonly field?: string | undefined;
}

/** A certificate of a node. */
export interface CertificateFacts {
  /** SHA-256 of the DER, lower-case hex. */
  readonly digest: string;
  readonly state: 'valid' | 'revoked';
}

/** A registered node, as the chaincode keeps it. */
export interface NodeFacts {
  readonly mspId: string;
  readonly enrolmentId: string;
  /** center, outlet, department, reader, client. */
  readonly kind: string;
  readonly state: 'registered' | 'revoked';
  readonly certificates: readonly CertificateFacts[];
}

/** One change a block makes to the replica, in the order of the block. */
export type Change =
  | { readonly kind: 'evidence'; readonly evidence: Evidence; readonly txId: string }
  | { readonly kind: 'organisation'; readonly organisation: OrganisationFacts }
  | { readonly kind: 'node'; readonly node: NodeFacts }
  | { readonly kind: 'ledger'; readonly ledger: PrivateLedgerFacts }
  | { readonly kind: 'ledger-configuration'; readonly configuration: LedgerConfigurationFacts }
  | { readonly kind: 'ledger-certificate'; readonly msp: string; readonly certificate: LedgerCertificateFacts }
  | { readonly kind: 'ledger-head'; readonly head: LedgerHeadFacts }
  | { readonly kind: 'anchor'; readonly anchor: AnchorFacts }
  | { readonly kind: 'ledger-report'; readonly report: LedgerReportFacts };

const hex32 = z.string().regex(/^[0-9a-f]{64}$/);
const id = z.string().min(1).max(256);
const organisationSchema = z.object({
  v: z.literal(1),
  mspId: id,
  role: z.string().max(64),
  field: z.string().max(256).optional(),
});
const nodeSchema = z.object({
  v: z.literal(1),
  mspId: id,
  enrolmentId: id,
  kind: z.string().max(64),
  state: z.enum(['registered', 'revoked']),
  certificates: z.array(z.object({ digest: hex32, state: z.enum(['valid', 'revoked']) })).max(1_000),
});

/**
 * What the valid transactions of a block change, by the keys the chaincode writes (`evidence`, `organisation`, `node`, and
 * those of private ledgers; others are not this replica's business).
 *
 * @throws WaymarkError `data-abnormal` for a value in a form this version does not know: to skip a revocation would be worse
 *   than to stop.
 */
export function projectBlock(block: DecodedBlock, chaincode: string): readonly Change[] {
  return block.transactions
    .filter(({ valid }) => valid)
    .flatMap(({ writes, txId }) =>
      writes
        .filter(({ namespace }) => namespace === chaincode)
        .flatMap((write) => {
          try {
            return projectWrite(write, txId);
          } catch (cause) {
            throw new WaymarkError('data-abnormal', 'the channel holds a value in a form this version does not know', {
              details: { blockNumber: String(block.number), txId },
              cause,
            });
          }
        }),
    );
}

function projectWrite(write: KeyWrite, txId: string): Change[] {
  const [type, ...parts] = compositeKeyParts(write.key);
  switch (type) {
    case 'evidence': {
      const evidence = parseEvidence(live(write));
      const { msp, outlet, seq } = evidence;
      requireKey(parts, [msp, outlet, sequencePart(seq)]);
      return [{ kind: 'evidence', evidence, txId }];
    }
    case 'organisation': {
      const { mspId, role, field } = read(write, organisationSchema);
      requireKey(parts, [mspId]);
      return [{ kind: 'organisation', organisation: { mspId, role, ...(field === undefined ? {} : { field }) } }];
    }
    case 'node': {
      const { mspId, enrolmentId, kind, state, certificates } = read(write, nodeSchema);
      requireKey(parts, [mspId, enrolmentId]);
      return [{ kind: 'node', node: { mspId, enrolmentId, kind, state, certificates } }];
    }
    case 'ledger': {
      const ledger = withoutVersion(read(write, privateLedgerSchema));
      requireKey(parts, [ledger.msp]);
      return [{ kind: 'ledger', ledger }];
    }
    case 'ledger-configuration': {
      const configuration = withoutVersion(read(write, ledgerConfigurationSchema));
      requireKey(parts, [configuration.msp, sequencePart(configuration.epoch)]);
      return [{ kind: 'ledger-configuration', configuration }];
    }
    case 'ledger-certificate': {
      const certificate = withoutVersion(read(write, ledgerCertificateSchema));
      const [msp = ''] = parts;
      requireKey(parts, [msp, certificate.digest]);
      return [{ kind: 'ledger-certificate', msp, certificate }];
    }
    case 'ledger-head': {
      const head = withoutVersion(read(write, ledgerHeadSchema));
      requireKey(parts, [head.msp]);
      return [{ kind: 'ledger-head', head }];
    }
    case 'anchor': {
      const anchor = withoutVersion(read(write, anchorSchema));
      requireKey(parts, [anchor.msp, sequencePart(anchor.last)]);
      if (anchor.first > anchor.last) throw new Error('the range is empty');
      return [{ kind: 'anchor', anchor }];
    }
    case 'ledger-report': {
      const report = withoutVersion(read(write, reportSchema));
      requireKey(parts, [report.msp, report.id]);
      return [{ kind: 'ledger-report', report }];
    }
    default:
      return [];
  }
}

function withoutVersion<T extends { readonly v: 1 }>({ v: _v, ...facts }: T): Omit<T, 'v'> {
  return facts;
}

/** A number as a key part. */
function sequencePart(sequence: number): string {
  return String(sequence).padStart(16, '0');
}

/** Fabric's composite keys: U+0000, object type, U+0000, part, U+0000, ...; an empty list for a simple key. */
function compositeKeyParts(key: string): string[] {
  if (!key.startsWith('\u0000') || !key.endsWith('\u0000') || key.length < 3) return [];
  return key.slice(1, -1).split('\u0000');
}

function read<T>(write: KeyWrite, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(Buffer.from(live(write)).toString('utf8')));
}

function live(write: KeyWrite): Uint8Array {
  if (write.isDelete) throw new Error('the chaincode never deletes this');
  return write.value;
}

function requireKey(parts: readonly string[], expected: readonly string[]): void {
  if (parts.length !== expected.length || parts.some((part, index) => part !== expected[index])) {
    throw new Error('key and value differ');
  }
}
