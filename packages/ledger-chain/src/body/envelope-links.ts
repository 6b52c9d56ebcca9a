import { cidBytes } from '@waymark/protocol';
import type { Content, Submission } from '@waymark/rsl';

/** CIDs of a submission's envelopes, one for each record; nothing when its attachment names none. */
export type EnvelopesOf = (submission: Submission) => readonly Uint8Array[];

/** How every attachment begins (docs/formats.md, "Attachment"): a map of six, `v: 1`, then the column of CIDs, whose length follows. */
const attachmentHead = Buffer.from([0xa6, 0x61, ...Buffer.from('v'), 0x01, 0x64, ...Buffer.from('cids')]);
/** How every envelope's CID begins: version 1, raw, SHA-256, 32 bytes. */
const envelopeHead = Buffer.from([0x01, 0x55, 0x12, 0x20]);

/**
 * As the attachment says. Only its first column is read, because this is done for every block at every member; what does not begin as an attachment
 * does names no envelopes: who audits the submission refuses it.
 */
export const attachedEnvelopes: EnvelopesOf = ({ attachment, records }) => {
  const bytes = Buffer.from(attachment.buffer, attachment.byteOffset, attachment.byteLength);
  const column = byteStringHead(records.length * cidBytes);
  const start = attachmentHead.length + column.length;
  const end = start + records.length * cidBytes;
  const isAttachment =
    bytes.length >= end &&
    bytes.subarray(0, attachmentHead.length).equals(attachmentHead) &&
    bytes.subarray(attachmentHead.length, start).equals(column);
  if (!isAttachment) return [];
  const envelopes: Buffer[] = [];
  for (let at = start; at < end; at += cidBytes) {
    if (bytes.compare(envelopeHead, 0, envelopeHead.length, at, at + envelopeHead.length) !== 0) return [];
    envelopes.push(bytes.subarray(at, at + cidBytes));
  }
  return envelopes;
};

/** CBOR's head of a byte string (RFC 8949 section 3.1, major type 2), in its shortest form. */
function byteStringHead(length: number): Buffer {
  if (length < 24) return Buffer.of(0x40 | length);
  if (length < 0x100) return Buffer.of(0x58, length);
  if (length < 0x1_0000) return Buffer.of(0x59, length >> 8, length & 0xff);
  return Buffer.of(0x5a, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff);
}

/**
 * Envelopes that are kept with a block: those of its accepted records, in byte order, each once. A rejected record's may not be there at all, and
 * the order tells nobody which outlet sent them.
 */
export function envelopeLinks(content: Content, envelopesOf: EnvelopesOf): readonly Uint8Array[] {
  if (content.kind !== 'records') return [];
  const links: Buffer[] = [];
  for (const { submission, rejected } of content.audited) {
    const out = new Set(rejected.map(({ index }) => index));
    for (const [index, cid] of envelopesOf(submission).entries())
      if (!out.has(index) && cid.length === cidBytes)
        links.push(Buffer.from(cid.buffer, cid.byteOffset, cid.byteLength));
  }
  links.sort((a, b) => Buffer.compare(a, b));
  return links.filter((cid, index) => index === 0 || !cid.equals(links[index - 1] as Buffer));
}
