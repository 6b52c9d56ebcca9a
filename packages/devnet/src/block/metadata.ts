import { common } from '@hyperledger/fabric-protos';

const SLOTS = 5;

/** The five metadata slots of a block: signatures, last configuration, transactions filter, unused, commit hash. */
export function metadataSlots(block: common.Block): Uint8Array[] {
  const present = block.getMetadata()?.getMetadataList_asU8() ?? [];
  return Array.from({ length: Math.max(SLOTS, present.length) }, (_, slot) => present[slot] ?? new Uint8Array());
}

/** `common.Metadata` with a value only. */
export function metadataValue(value: Uint8Array): Uint8Array {
  const metadata = new common.Metadata();
  metadata.setValue(value);
  return metadata.serializeBinary();
}

export function readMetadataValue(slot: Uint8Array | undefined): Uint8Array {
  return slot === undefined || slot.length === 0
    ? new Uint8Array()
    : common.Metadata.deserializeBinary(slot).getValue_asU8();
}
