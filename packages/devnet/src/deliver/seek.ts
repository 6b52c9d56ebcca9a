import { common, orderer } from '@hyperledger/fabric-protos';
import type { DeliverStatus } from './deliver-status.ts';

/** The blocks that a client asks for, with positions resolved against the ledger's height. */
export interface BlockRange {
  readonly start: bigint;
  /** The last block; one that is before the start is never reached. */
  readonly stop: bigint;
  readonly failIfNotReady: boolean;
  readonly headersOnly: boolean;
}

const { BAD_REQUEST, NOT_FOUND } = common.Status;
const { TypeCase } = orderer.SeekPosition;
const MAX_BLOCK_NUMBER = 0xffff_ffff_ffff_ffffn;

/** The range, or the status that Fabric answers instead (common/deliver/deliver.go, blockledger/fileledger/impl.go). */
export function resolveSeek(seek: orderer.SeekInfo, height: bigint): BlockRange | DeliverStatus {
  const from = seek.getStart();
  const to = seek.getStop();
  if (from === undefined || to === undefined) return BAD_REQUEST;
  const start = resolveStart(from, height);
  const stop = resolveStop(from, to, start ?? 0n, height);
  if (to.getTypeCase() === TypeCase.SPECIFIED && stop < (start ?? 0n)) return BAD_REQUEST;
  if (start === undefined) return NOT_FOUND;
  return {
    start,
    stop,
    failIfNotReady: seek.getBehavior() === orderer.SeekInfo.SeekBehavior.FAIL_IF_NOT_READY,
    headersOnly: seek.getContentType() === orderer.SeekInfo.SeekContentType.HEADER_WITH_SIG,
  };
}

/** Undefined for what cannot be waited for: no position, or a block after the next one. */
function resolveStart(position: orderer.SeekPosition, height: bigint): bigint | undefined {
  switch (position.getTypeCase()) {
    case TypeCase.OLDEST:
      return 0n;
    case TypeCase.NEWEST:
      return height > 0n ? height - 1n : 0n;
    case TypeCase.NEXT_COMMIT:
      return height;
    case TypeCase.SPECIFIED: {
      const number = blockNumber(position);
      return number > height ? undefined : number;
    }
    default:
      return undefined;
  }
}

/**
 * Newest to newest is one block, even when a block is committed meanwhile. A position that makes no sense as an end is block 0
 * to Fabric.
 */
function resolveStop(from: orderer.SeekPosition, to: orderer.SeekPosition, start: bigint, height: bigint): bigint {
  switch (to.getTypeCase()) {
    case TypeCase.OLDEST:
      return start;
    case TypeCase.NEWEST:
      return from.getTypeCase() === TypeCase.NEWEST ? start : height - 1n;
    case TypeCase.SPECIFIED:
      return blockNumber(to);
    default:
      return 0n;
  }
}

/** Clients ask for "all blocks to come" with the largest number, which is inexact as a JavaScript number. */
function blockNumber(position: orderer.SeekPosition): bigint {
  const number = position.getSpecified()?.getNumber() ?? 0;
  return number > Number.MAX_SAFE_INTEGER ? MAX_BLOCK_NUMBER : BigInt(number);
}
