import { Default, Info, Returns, Transaction } from 'fabric-contract-api';
import { answer, WaymarkContract, TransactionContext } from '../contract.ts';
import { Refusal } from '../errors.ts';
import { array, decimal, pattern, readArgument } from '../json/readers.ts';
import { sequencePart } from '../state/keys.ts';
import { decodeStored } from '../state/stored.ts';
import { readRange } from '../state/range.ts';
import { batchesInput, evidenceKey, parseEvidenceId, type Evidence } from './model.ts';
import { record } from './record.ts';

declare const WAYMARK_VERSION: string;

const recordedEvent = 'evidence.recorded';
const maximumPage = 100;
const idsInput = array(pattern(/^[^]{1,600}$/, 'an evidence id'), 1, maximumPage);

/** Evidence: what each outlet's batches were, bound for good to who submitted them. The chaincode's default contract. */
@Default()
@Info({ title: 'waymark', description: 'Evidence of batches of shipment records', version: WAYMARK_VERSION })
export class EvidenceContract extends WaymarkContract {
  constructor() {
    super('evidence');
  }

  /**
   * Records 1 to 64 batches in one transaction (a single record is one batch of count 1), all or none; see `record.ts`.
   * Answers `{results: [{id, repeated}, ...]}` in the order given, and emits `evidence.recorded` with the new ids.
   *
   * Who: a registered, unrevoked center, for outlets and departments of its own organisation.
   * Argument: `[{outlet, seq, batchHash, prev, root, cid, count, collectedFrom, collectedTo, certificate}, ...]`.
   */
  @Transaction()
  @Returns('string')
  public async record(ctx: TransactionContext, batchesJson: string): Promise<string> {
    const results = await record(ctx.ledger, ctx.caller, readArgument(batchesJson, 'batches', batchesInput));
    const keys = results.filter(({ repeated }) => !repeated).map(({ id }) => id);
    if (keys.length > 0) ctx.emit(recordedEvent, { v: 1, keys });
    return answer({ v: 1, results });
  }

  /** The evidence with this id. Who: anybody who may read the channel. Throws `refused` when there is none. */
  @Transaction(false)
  @Returns('string')
  public async get(ctx: TransactionContext, id: string): Promise<string> {
    const evidence = await this.#read(ctx, id, 'id');
    if (evidence === undefined) throw new Refusal('refused', { id, reason: 'not-there' });
    return answer(evidence);
  }

  /** Several at once: `{items: [evidence or null, ...]}` in the order asked. Who: any reader. Argument: 1 to 100 ids. */
  @Transaction(false)
  @Returns('string')
  public async getMany(ctx: TransactionContext, idsJson: string): Promise<string> {
    const items: (Evidence | null)[] = [];
    for (const [index, id] of readArgument(idsJson, 'ids', idsInput).entries()) {
      items.push((await this.#read(ctx, id, `ids[${index}]`)) ?? null);
    }
    return answer({ v: 1, items });
  }

  /**
   * Every transaction that wrote this evidence, newest first: `{items: [{txId, claimedAt, isDelete, value}]}`. One is what an honest
   * chain shows. `claimedAt` is the time the submitter claimed. Needs a peer with its history database on. Who: any reader.
   */
  @Transaction(false)
  @Returns('string')
  public async history(ctx: TransactionContext, id: string): Promise<string> {
    const { msp, outlet, seq } = parseEvidenceId(id, 'id');
    const items: object[] = [];
    for await (const change of ctx.stub.getHistoryForKey(evidenceKey(msp, outlet, seq).key)) {
      const value = change.isDelete ? null : decodeStored(change.value);
      items.push({ claimedAt: claimedAt(change.timestamp), isDelete: change.isDelete, txId: change.txId, value });
      if (items.length === maximumPage) break;
    }
    return answer({ v: 1, items });
  }

  /**
   * An outlet's evidence from `fromSeq` on: `{items, next}`; `next` is the next page's `fromSeq`, or null. A paged range read,
   * for evaluation only. Who: any reader. `limit`: 1 to 100.
   */
  @Transaction(false)
  @Returns('string')
  public async list(
    ctx: TransactionContext,
    msp: string,
    outlet: string,
    fromSeq: string,
    limit: string,
  ): Promise<string> {
    const from = sequencePart(decimal(fromSeq, 'fromSeq', 1, Number.MAX_SAFE_INTEGER));
    const count = decimal(limit, 'limit', 1, maximumPage);
    const page = await readRange<Evidence>(ctx, {
      objectType: 'evidence',
      prefix: [msp, outlet],
      from,
      limit: count + 1,
    });
    return answer({ v: 1, items: page.slice(0, count), next: page[count]?.seq ?? null });
  }

  #read(ctx: TransactionContext, id: string, place: string): Promise<Evidence | undefined> {
    const { msp, outlet, seq } = parseEvidenceId(id, place);
    return ctx.ledger.get(evidenceKey(msp, outlet, seq));
  }
}

/** The time of a history entry; the shim gives protobuf's plain object, whose seconds are a number. */
function claimedAt(timestamp: { readonly seconds: unknown; readonly nanos: number }): string {
  return new Date(Number(timestamp.seconds) * 1000 + Math.trunc(timestamp.nanos / 1_000_000)).toISOString();
}
