import { cidBytes, decodeLedgerAttachment } from '@waymark/protocol';
import type { Content, Submission } from '@waymark/rsl';

/** CIDs of a submission's envelopes, one for each record; nothing when its attachment names none. */
export type EnvelopesOf = (submission: Submission) => readonly Uint8Array[];

/** As the attachment says. What has another form names no envelopes: who audits the submission refuses it. */
export const attachedEnvelopes: EnvelopesOf = ({ attachment, records }) => {
  if (attachment.length === 0) return [];
  try {
    return decodeLedgerAttachment(attachment, records.length).cids;
  } catch {
    return [];
  }
};

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
  links.sort(Buffer.compare);
  return links.filter((cid, index) => index === 0 || !cid.equals(links[index - 1] as Buffer));
}
