import { decodeCbor, encodeCbor, WaymarkError } from '@waymark/protocol';
import { type Seal, sealFrom, sealValue } from '@waymark/rsl';

/** Far above a header and a certificate of the most members. */
const maxSealBytes = 64 * 1024;

/** The bytes of a seal with its header (docs/formats.md, "Parts"). */
export function encodeSeal(seal: Seal): Uint8Array {
  return encodeCbor(sealValue(seal));
}

/** @throws WaymarkError data-abnormal */
export function decodeSeal(bytes: Uint8Array): Seal {
  try {
    return sealFrom(decodeCbor(bytes, { maxBytes: maxSealBytes }));
  } catch (cause) {
    throw new WaymarkError('data-abnormal', 'A seal is not what a center makes.', {
      details: { reason: 'seal' },
      cause,
    });
  }
}
