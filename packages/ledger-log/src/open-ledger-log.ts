import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { privateFileSystem, takeLock } from '@waymark/durable-files';
import { WaymarkError } from '@waymark/protocol';
import { diskFault } from './errors.ts';
import { FileLedgerLog } from './file-ledger-log.ts';
import { noDigest } from './format/digest.ts';
import { encodeRecords, type RecordBody, tagSizeBytes } from './format/record.ts';
import { logIdSizeBytes, type SegmentHeader, segmentHeaderSizeBytes } from './format/segment-header.ts';
import type { LedgerLog, LedgerLogOptions } from './ledger-log.ts';
import { encodeOpening, maxOpenings, type Opening, sessionSizeBytes } from './position.ts';
import { HeightIndex } from './read/height-index.ts';
import { recover, type RecoveredLog } from './recovery/recover.ts';
import { Segments } from './segments.ts';
import { emptyShape } from './shape.ts';
import { LogWriter } from './write/log-writer.ts';

const defaultMaxSegmentSizeBytes = 16 * 1024 * 1024;

/**
 * Opens a member's log: reads it from its last checkpoint on, cuts what an unfinished write left at its end, and makes the rest durable.
 * One process at a time may have a folder open.
 * @throws WaymarkError data-abnormal (reason, segment, offset: octets that were durable are gone or altered; `no-log`: there is none and `create` is
 *   false); unavailable (`locked`, `disk-full`, `read-only`, `permission`, `io-fault`); unsupported (written by a later version)
 */
export async function openLedgerLog(options: LedgerLogOptions): Promise<LedgerLog> {
  const files = options.fileSystem ?? privateFileSystem;
  let lock: { close(): Promise<void> } | undefined;
  try {
    await files.makeFolder(options.folder);
    lock = await (options.lock ?? lockFolder)(options.folder);
    const segments = new Segments(files, options.folder);
    const numbers = await segments.list();
    const isNew = numbers.length === 0;
    if (isNew && !options.create) {
      throw new WaymarkError('data-abnormal', 'There is no ledger log where one must be.', {
        details: { reason: 'no-log' },
      });
    }
    const recovered = isNew ? await createLog(segments) : await recover(segments, numbers);
    const writer = new LogWriter({
      segments,
      live: recovered.live,
      chain: recovered.chain,
      maxSegmentSizeBytes: options.maxSegmentSizeBytes ?? defaultMaxSegmentSizeBytes,
      drawTag: () => randomBytes(tagSizeBytes),
    });
    const openings = isNew ? recovered.openings : await noteOpening(writer, recovered);
    return new FileLedgerLog({ options, segments, recovered, openings, writer, isNew, lock });
  } catch (cause) {
    await lock?.close();
    throw diskFault('The ledger log cannot be opened.', cause);
  }
}

function lockFolder(folder: string): Promise<{ close(): Promise<void> }> {
  return takeLock(join(folder, 'lock'), 'the ledger log');
}

/** A log without steps: one segment that begins with its first opening. */
async function createLog(segments: Segments): Promise<RecoveredLog> {
  const header: SegmentHeader = {
    logId: randomBytes(logIdSizeBytes),
    segment: 1,
    firstSeq: 1,
    proven: 1,
    isBase: true,
    tag: randomBytes(tagSizeBytes),
    prev: noDigest,
  };
  const opening: Opening = { opens: 1, session: randomBytes(sessionSizeBytes), firstSeq: 1 };
  const { bytes, end } = encodeRecords([openingBody(opening)], header.tag, { seq: 0, digest: noDigest }, 1);
  const file = await segments.create(header, bytes);
  await file.close();
  return {
    steps: [],
    tornTail: null,
    live: new Map([[1, { header, sizeBytes: segmentHeaderSizeBytes + bytes.length }]]),
    chain: end,
    openings: [opening],
    shape: emptyShape,
    index: new HeightIndex(),
    baseSizeBytes: bytes.length,
  };
}

async function noteOpening(writer: LogWriter, { openings, chain }: RecoveredLog): Promise<readonly Opening[]> {
  const opens = (openings.at(-1)?.opens ?? 0) + 1;
  const opening = { opens, session: randomBytes(sessionSizeBytes), firstSeq: chain.seq + 1 };
  await writer.append([openingBody(opening)]);
  return [...openings, opening].slice(-maxOpenings);
}

function openingBody(opening: Opening): RecordBody {
  return { kind: 'opened', payload: encodeOpening(opening) };
}
