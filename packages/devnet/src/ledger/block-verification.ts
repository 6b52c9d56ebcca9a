import { common } from '@hyperledger/fabric-protos';
import { headerBytes, headerFieldsOf, type HeaderFields } from '../block/hashes.ts';
import type { ChannelConfig } from '../config/channel-config.ts';
import { DevnetError } from '../errors.ts';
import { evaluateSignedData, type SignedData } from '../policy/policy.ts';
import { parseBlock } from '../validation/parsed-block.ts';

const BLOCK_VALIDATION_POLICY = '/Channel/Orderer/BlockValidation';

/** What the next block must be. */
export interface ExpectedBlock {
  readonly number: bigint;
  readonly previousHash: Uint8Array;
  readonly config: ChannelConfig;
}

/**
 * Checks that a block is the next of the chain, has the data its header speaks of, and is signed as the channel demands
 * (internal/pkg/peer/orderers block verification). Throws DevnetError BLOCK_REJECTED.
 */
export function verifyBlock(block: common.Block, expected: ExpectedBlock): HeaderFields {
  const header = block.getHeader();
  if (header === undefined) throw rejected('the block has no header', expected);
  const fields = headerFieldsOf(header);
  if (fields.number !== expected.number) throw rejected('the block is not the next one', expected);
  if (Buffer.compare(fields.previousHash, expected.previousHash) !== 0) {
    throw rejected('the block does not follow from the one before it', expected);
  }
  if (Buffer.compare(fields.dataHash, parseBlock(block).dataHash) !== 0) {
    throw rejected("the block's data is not what its header says", expected);
  }
  const policy = expected.config.policy(BLOCK_VALIDATION_POLICY);
  if (!evaluateSignedData(policy, blockSignatures(block, fields), expected.config.msps)) {
    throw rejected('the block is not signed by an orderer of the channel', expected);
  }
  return fields;
}

/** An orderer signs the metadata value, its signature header and the block header. */
function blockSignatures(block: common.Block, fields: HeaderFields): SignedData[] {
  const [slot] = block.getMetadata()?.getMetadataList_asU8() ?? [];
  const metadata = common.Metadata.deserializeBinary(slot ?? new Uint8Array());
  return metadata.getSignaturesList().map((signature) => {
    const signatureHeader = signature.getSignatureHeader_asU8();
    return {
      data: Buffer.concat([metadata.getValue_asU8(), signatureHeader, headerBytes(fields)]),
      identity: common.SignatureHeader.deserializeBinary(signatureHeader).getCreator_asU8(),
      signature: signature.getSignature_asU8(),
    };
  });
}

function rejected(message: string, expected: ExpectedBlock): DevnetError {
  return new DevnetError('BLOCK_REJECTED', message, { details: { expectedNumber: expected.number } });
}
