import type { Ack, Header, Seal } from '@waymark/rsl';
import type * as wire from '@waymark/transport/ledger';
import {
  blockHash,
  cid,
  codecLimits,
  digestBytes,
  digestFrom,
  list,
  name,
  present,
  refuseMessage,
  signatureBytes,
  signatureFrom,
  whole,
} from './checks.ts';

/** A seal as evidence: without its certificate. */
export type SignedHeader = Pick<Seal, 'header' | 'hash' | 'center' | 'signature'>;

export function headerToWire(header: Header): wire.Header {
  return {
    ...header,
    epoch: whole(header.epoch, 'header epoch'),
    height: whole(header.height, 'header height'),
    term: whole(header.term, 'header term'),
    accepted: whole(header.accepted, 'header accepted'),
    rejected: whole(header.rejected, 'header rejected'),
    timestampMs: whole(header.timestampMs, 'header timestamp'),
    departments: digestBytes(header.departments, 'header departments'),
    root: digestBytes(header.root, 'header root'),
  };
}

export function headerFromWire(header: wire.Header): Header {
  if (header.version !== 1) refuseMessage('header version');
  return {
    version: header.version,
    ledger: name(header.ledger, 'header ledger'),
    epoch: header.epoch,
    height: header.height,
    term: header.term,
    prev: blockHash(header.prev, 'header prev'),
    departments: digestFrom(header.departments, 'header departments'),
    root: digestFrom(header.root, 'header root'),
    accepted: header.accepted,
    rejected: header.rejected,
    timestampMs: header.timestampMs,
    body: cid(header.body, 'header body'),
  };
}

export function signedHeaderToWire({ header, hash, center, signature }: SignedHeader): wire.SignedHeader {
  return { header: headerToWire(header), hash, center, signature: signatureBytes(signature, 'seal signature') };
}

export function signedHeaderFromWire({ header, hash, center, signature }: wire.SignedHeader): SignedHeader {
  return {
    header: headerFromWire(present(header, 'seal header')),
    hash: blockHash(hash, 'seal hash'),
    center: name(center, 'seal center'),
    signature: signatureFrom(signature, 'seal signature'),
  };
}

export function sealToWire(seal: Seal): wire.Seal {
  return {
    signed: signedHeaderToWire(seal),
    certificate: seal.certificate.map(({ member, ackTimeMs, signature }) => ({
      member,
      ackTimeMs: whole(ackTimeMs, 'acknowledgement time'),
      signature: signatureBytes(signature, 'acknowledgement signature'),
    })),
  };
}

export function sealFromWire(seal: wire.Seal): Seal {
  const { header, hash, center, signature } = signedHeaderFromWire(present(seal.signed, 'seal'));
  const certificate = list(seal.certificate, codecLimits.maxMembers, 'seal certificate', (ack) => ({
    member: name(ack.member, 'acknowledgement member'),
    ackTimeMs: ack.ackTimeMs,
    signature: signatureFrom(ack.signature, 'acknowledgement signature'),
  }));
  return { header, hash, center, certificate, signature };
}

export function ackToWire(ack: Ack): wire.Ack {
  return {
    ...ack,
    epoch: whole(ack.epoch, 'acknowledgement epoch'),
    height: whole(ack.height, 'acknowledgement height'),
    term: whole(ack.term, 'acknowledgement term'),
    count: whole(ack.count, 'acknowledgement count'),
    ackTimeMs: whole(ack.ackTimeMs, 'acknowledgement time'),
    root: digestBytes(ack.root, 'acknowledgement root'),
    signature: signatureBytes(ack.signature, 'acknowledgement signature'),
  };
}

export function ackFromWire(ack: wire.Ack): Ack {
  return {
    ledger: name(ack.ledger, 'acknowledgement ledger'),
    epoch: ack.epoch,
    height: ack.height,
    term: ack.term,
    prev: blockHash(ack.prev, 'acknowledgement prev'),
    root: digestFrom(ack.root, 'acknowledgement root'),
    count: ack.count,
    ackTimeMs: ack.ackTimeMs,
    member: name(ack.member, 'acknowledgement member'),
    signature: signatureFrom(ack.signature, 'acknowledgement signature'),
  };
}
