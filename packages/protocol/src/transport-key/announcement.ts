import type { KeyObject } from 'node:crypto';
import { fromCoseKey, toCoseKey } from '../cose/encrypt.ts';
import { headerOf } from '../cose/structure.ts';
import { type CoseSigner, readSign1, signCose, verifySign1 } from '../cose/sign1.ts';
import { encodeCbor, decodeCbor } from '../encoding/cbor.ts';
import { fieldsOf } from '../encoding/cbor-fields.ts';

const maxAnnouncementBytes = 4_096;

/** A center's transport key as it announces it (docs/formats.md, "Submission"). */
export interface TransportKeyAnnouncement {
  readonly channel: string;
  readonly msp: string;
  readonly kid: string;
  readonly publicKey: KeyObject;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Signs an announcement as COSE_Sign1. */
export function signTransportKey(signer: CoseSigner, announcement: TransportKeyAnnouncement): Uint8Array {
  const { channel, msp, kid, publicKey, notBeforeMs, notAfterMs } = announcement;
  const payload = encodeCbor({
    v: 1,
    type: 'transport-key',
    channel,
    msp,
    kid,
    key: toCoseKey(publicKey),
    notBefore: notBeforeMs,
    notAfter: notAfterMs,
  });
  return signCose(signer, { type: 'transport-key', channel }, payload);
}

/**
 * Reads an announcement and checks that the certificate it carries signed it for this channel. Whose certificate that is, is for the caller.
 * @throws WaymarkError input-invalid, signature-invalid
 */
export function readTransportKey(
  bytes: Uint8Array,
  channel: string,
): { announcement: TransportKeyAnnouncement; certificateDer: Uint8Array } {
  const message = readSign1(bytes);
  const map = headerOf(
    decodeCbor(verifySign1(message, { type: 'transport-key', channel }), { maxBytes: maxAnnouncementBytes }),
  );
  const fields = fieldsOf(new Map([...map].filter(([name]) => name !== 'key')), 'transport key');
  fields.constant('v', 1);
  fields.constant('type', 'transport-key');
  fields.constant('channel', channel);
  const announcement = {
    channel,
    msp: fields.text('msp'),
    kid: fields.text('kid'),
    publicKey: fromCoseKey(headerOf(map.get('key'))),
    notBeforeMs: fields.integer('notBefore'),
    notAfterMs: fields.integer('notAfter'),
  };
  fields.end();
  return { announcement, certificateDer: message.certificateDer };
}
