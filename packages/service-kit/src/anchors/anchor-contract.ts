import { chaincodeVerdict, type CommittedTransaction, type ContractArgument, type Ledger } from '@waymark/fabric';
import { isWaymarkError, parseJsonStrict, WaymarkError } from '@waymark/protocol';
import { z } from 'zod';
import { anchorSchema, ledgerHeadSchema, privateLedgerSchema } from '../replica/ledger-facts.ts';

/** How far the channel is with a ledger: its last anchor, and the last epoch whose members it knows. */
export interface ChannelHead {
  readonly last: number;
  /** Hash of the block at `last`; null before the first anchor. */
  readonly hash: string | null;
  /** Term and center of the last anchor; 0 and null before the first. */
  readonly term: number;
  readonly center: string | null;
  readonly configuredEpoch: number;
}

/** What became of a call that writes. `repeated`: the channel had it already, and this transaction changed nothing. */
export interface ContractOutcome {
  readonly txId: string;
  readonly blockNumber: bigint;
  readonly repeated: boolean;
}

/** A range that is on the channel. */
export interface AnchorOutcome extends ContractOutcome {
  readonly anchor: z.infer<typeof anchorSchema>;
}

/** A proof against a ledger in the form of docs/formats.md, "Reports". */
export interface ReportedProof {
  readonly type: 'ledger-equivocation' | 'ledger-fork' | 'ledger-held-back';
  readonly bytes: Uint8Array;
}

/** A report that is on the channel. */
export interface ReportOutcome extends ContractOutcome {
  readonly id: string;
  /** Whether it proves what it says; a held-back claim without an opening is one side's word. */
  readonly proven: boolean;
}

/**
 * The contract `anchors`, called as this node. Every call may be repeated: what the channel has is not written again. All of them throw
 * `WaymarkError`: the chaincode's own refusal as it is (`anchorRefusal` says what it means), `transaction-invalid`, and `unavailable` for
 * everything that nobody has judged.
 */
export interface AnchorContract {
  /** One peer's word; undefined while the ledger is not registered. */
  head(): Promise<ChannelHead | undefined>;
  /** Takes a range to the channel and waits for its commit. @param bytes of `encodeAnchor` */
  anchor(bytes: Uint8Array): Promise<AnchorOutcome>;
  /** Takes the members of the next epoch to the channel. @param bytes of `encodeConfiguration` */
  configure(bytes: Uint8Array): Promise<ContractOutcome>;
  /** Reports a proof against the ledger of an organisation: anybody's right on the channel. */
  report(mspId: string, proof: ReportedProof): Promise<ReportOutcome>;
}

const headAnswer = z.object({ v: z.literal(1), ledger: privateLedgerSchema, head: ledgerHeadSchema.nullable() });
const anchorAnswer = z.object({ v: z.literal(1), anchor: anchorSchema, repeated: z.boolean() });
const configureAnswer = z.object({ v: z.literal(1), repeated: z.boolean() });
const reportAnswer = z.object({
  v: z.literal(1),
  repeated: z.boolean(),
  report: z.object({ id: z.string().max(64), proven: z.boolean() }),
});
const functionOf = {
  'ledger-equivocation': 'reportEquivocation',
  'ledger-fork': 'reportFork',
  'ledger-held-back': 'reportHeldBack',
} as const;

/** @param mspId whose ledger `head` is about: this node's own organisation */
export function createAnchorContract(ledger: Pick<Ledger, 'evaluate' | 'submit'>, mspId: string): AnchorContract {
  const submit = async (fn: string, args: readonly ContractArgument[]): Promise<CommittedTransaction> =>
    (await ledger.submit('anchors', fn, args, { retryable: true })).commit();
  const call = async <T>(fn: string, args: readonly string[], schema: z.ZodType<T>) => {
    const { txId, blockNumber, result } = await submit(fn, args).catch(rethrowVerdict);
    return { answer: read(result, schema), txId, blockNumber };
  };
  return {
    async head() {
      let result;
      try {
        result = await ledger.evaluate('anchors', 'ledger', [mspId]).catch(rethrowVerdict);
      } catch (error) {
        if (isWaymarkError(error, 'refused') && error.details['reason'] === 'not-there') return undefined;
        throw error;
      }
      const { ledger: registered, head } = read(result, headAnswer);
      const { last = 0, hash = null, term = 0, center = null } = head ?? {};
      return { last, hash, term, center, configuredEpoch: registered.epoch };
    },
    async anchor(bytes) {
      const { answer, ...transaction } = await call('anchor', [base64url(bytes)], anchorAnswer);
      return { ...transaction, anchor: answer.anchor, repeated: answer.repeated };
    },
    async configure(bytes) {
      const { answer, ...transaction } = await call('configure', [base64url(bytes)], configureAnswer);
      return { ...transaction, repeated: answer.repeated };
    },
    async report(accused, { type, bytes }) {
      const { answer, ...transaction } = await call(functionOf[type], [accused, base64url(bytes)], reportAnswer);
      return { ...transaction, id: answer.report.id, proven: answer.report.proven, repeated: answer.repeated };
    },
  };
}

/** What a refusal of `anchor` or `configure` asks of who sent it. */
export type AnchorRefusal =
  /** The range does not begin where the channel is, or not on the block that it knows: look at the head. */
  | 'position'
  /** Somebody was elected for a later term. */
  | 'term-stale'
  /** The channel knows no election of this center for this term. */
  | 'not-elected'
  /** A certificate under the proof was revoked: blocks further up may do without it. */
  | 'certificate-revoked'
  /** The members of an epoch have to go to the channel first. */
  | 'configuration-missing'
  /** The ledger is not registered. */
  | 'not-registered'
  /** Nothing that the sender could do differently. */
  | 'other';

/** What the chaincode's refusal means; undefined when the chaincode has not judged the call. */
export function anchorRefusal(error: unknown): AnchorRefusal | undefined {
  if (!isWaymarkError(error) || error.code === 'unavailable') return undefined;
  const reason = error.details['reason'];
  switch (error.code) {
    case 'certificate-revoked':
      return 'certificate-revoked';
    case 'conflict':
      return reason === 'term-stale' ? 'term-stale' : 'position';
    case 'sequence-gap':
      return reason === 'configuration' || reason === 'epoch' ? 'configuration-missing' : 'position';
    case 'role-not-permitted':
      return reason === 'not-elected' || reason === 'not-the-center' ? 'not-elected' : 'other';
    case 'refused':
      return reason === 'not-registered' || reason === 'not-there' ? 'not-registered' : 'other';
    case 'transaction-invalid':
      // It lost against another one: what that was, the head tells.
      return 'position';
    default:
      return 'other';
  }
}

function read<T>(result: Uint8Array, schema: z.ZodType<T>): T {
  const { success, data, error } = schema.safeParse(parseJsonStrict(result));
  if (!success)
    throw new WaymarkError('chaincode-error', 'The chaincode gave an answer of another form.', { cause: error });
  return data;
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function rethrowVerdict(error: unknown): never {
  throw chaincodeVerdict(error);
}
