import { randomBytes } from 'node:crypto';
import { common } from '@hyperledger/fabric-protos';
import { dataHash, headerBytes, headerFieldsOf } from '../block/hashes.ts';
import { metadataValue } from '../block/metadata.ts';
import type { SigningIdentity } from '../msp/msp.ts';

const NONCE_BYTES = 24;

export interface NextBlock {
  readonly number: bigint;
  readonly previousHash: Uint8Array;
  readonly envelopes: readonly Uint8Array[];
  /** Number of the newest configuration block, this one included. */
  readonly lastConfigNumber: bigint;
}

/** Makes and signs a block (orderer/common/multichannel/blockwriter.go). */
export function createBlock(next: NextBlock, signer: SigningIdentity): common.Block {
  const header = new common.BlockHeader();
  header.setNumber(Number(next.number));
  header.setPreviousHash(next.previousHash);
  header.setDataHash(dataHash(next.envelopes));
  const data = new common.BlockData();
  data.setDataList([...next.envelopes]);
  const lastConfig = new common.LastConfig();
  lastConfig.setIndex(Number(next.lastConfigNumber));
  const metadata = new common.BlockMetadata();
  metadata.setMetadataList([
    signBlock(header, lastConfig, signer),
    metadataValue(lastConfig.serializeBinary()),
    new Uint8Array(),
    new Uint8Array(),
    new Uint8Array(),
  ]);
  const block = new common.Block();
  block.setHeader(header);
  block.setData(data);
  block.setMetadata(metadata);
  return block;
}

/** Slot 0. The last configuration is there even when its number is 0 and its bytes are empty. */
function signBlock(header: common.BlockHeader, lastConfig: common.LastConfig, signer: SigningIdentity): Uint8Array {
  const value = new common.OrdererBlockMetadata();
  value.setLastConfig(lastConfig);
  const valueBytes = value.serializeBinary();
  const signatureHeader = createSignatureHeader(signer).serializeBinary();
  const signature = new common.MetadataSignature();
  signature.setSignatureHeader(signatureHeader);
  signature.setSignature(
    signer.sign(Buffer.concat([valueBytes, signatureHeader, headerBytes(headerFieldsOf(header))])),
  );
  const metadata = new common.Metadata();
  metadata.setValue(valueBytes);
  metadata.setSignaturesList([signature]);
  return metadata.serializeBinary();
}

export function createSignatureHeader(signer: SigningIdentity): common.SignatureHeader {
  const header = new common.SignatureHeader();
  header.setCreator(signer.serialized);
  header.setNonce(randomBytes(NONCE_BYTES));
  return header;
}

/** The configuration number that a block's metadata names. */
export function lastConfigNumber(block: common.Block): bigint {
  const slot = block.getMetadata()?.getMetadataList_asU8()[common.BlockMetadataIndex.LAST_CONFIG];
  const metadata = common.Metadata.deserializeBinary(slot ?? new Uint8Array());
  return BigInt(common.LastConfig.deserializeBinary(metadata.getValue_asU8()).getIndex());
}
