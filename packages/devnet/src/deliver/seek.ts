import { orderer } from '@hyperledger/fabric-protos';

/** The blocks that a client asks for, with positions resolved against the ledger's height. */
export interface BlockRange {
  readonly start: bigint;
  readonly stop: bigint;
  readonly failIfNotReady: boolean;
  readonly headersOnly: boolean;
}

const MAX_BLOCK_NUMBER = 0xffff_ffff_ffff_ffffn;

/** Undefined when Fabric would answer BAD_REQUEST (common/deliver/deliver.go). */
export function resolveSeek(seek: orderer.SeekInfo, height: bigint): BlockRange | undefined {
  const from = seek.getStart();
  const to = seek.getStop();
  if (from === undefined || to === undefined) return undefined;
  const start = resolvePosition(from, height);
  if (start === undefined) return undefined;
  const stop = resolveStop(from, to, start, height);
  if (stop === undefined || stop < start) return undefined;
  return {
    start,
    stop,
    failIfNotReady: seek.getBehavior() === orderer.SeekInfo.SeekBehavior.FAIL_IF_NOT_READY,
    headersOnly: seek.getContentType() === orderer.SeekInfo.SeekContentType.HEADER_WITH_SIG,
  };
}

function resolvePosition(position: orderer.SeekPosition, height: bigint): bigint | undefined {
  switch (position.getTypeCase()) {
    case orderer.SeekPosition.TypeCase.OLDEST:
      return 0n;
    case orderer.SeekPosition.TypeCase.NEWEST:
      return height > 0n ? height - 1n : 0n;
    case orderer.SeekPosition.TypeCase.NEXT_COMMIT:
      return height;
    case orderer.SeekPosition.TypeCase.SPECIFIED:
      return blockNumber(position);
    default:
      return undefined;
  }
}

/** Newest to newest is one block, even when a block is committed meanwhile. */
function resolveStop(
  from: orderer.SeekPosition,
  to: orderer.SeekPosition,
  start: bigint,
  height: bigint,
): bigint | undefined {
  switch (to.getTypeCase()) {
    case orderer.SeekPosition.TypeCase.OLDEST:
      return start;
    case orderer.SeekPosition.TypeCase.NEWEST:
      return from.getTypeCase() === orderer.SeekPosition.TypeCase.NEWEST ? start : height - 1n;
    case orderer.SeekPosition.TypeCase.SPECIFIED:
      return blockNumber(to);
    default:
      return undefined;
  }
}

/** Clients ask for "all blocks to come" with the largest number, which is inexact as a JavaScript number. */
function blockNumber(position: orderer.SeekPosition): bigint {
  const number = position.getSpecified()?.getNumber() ?? 0;
  return number > Number.MAX_SAFE_INTEGER ? MAX_BLOCK_NUMBER : BigInt(number);
}
