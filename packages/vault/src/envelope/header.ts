import {
  WaymarkError,
  bytesEqual,
  decodeCid,
  encodeCbor,
  fieldsOf,
  isWaymarkError,
  rawCode,
  type CborValue,
  type DecodedHeader,
} from '@waymark/protocol';
import type { CID } from 'multiformats/cid';

/** What everybody can read of an envelope (docs/formats.md, "Envelope"); authenticated, not secret. */
export interface EnvelopeHeader {
  readonly channel: string;
  readonly msp: string;
  /** Enrolment id of the outlet that sealed it. */
  readonly outlet: string;
  /** 16 bytes. */
  readonly consignmentOid: Uint8Array;
  readonly epoch: number;
  /** 32 bytes. */
  readonly recordOid: Uint8Array;
  /** 16 bytes, new for every sealing. */
  readonly sealId: Uint8Array;
  /** The envelope this one takes the place of. */
  readonly replaces: CID | null;
  /** Id of the schema the content follows. */
  readonly schema: string;
  /** When the fact was collected, milliseconds since 1970. */
  readonly collectedMs: number;
  /** Root of the disclosure groups, 32 bytes; null while a record has none. */
  readonly fieldRoot: Uint8Array | null;
}

/** The header's version of this whole construction: key schedule, cipher, padding. */
const suite = 'waymark/v1';
/** COSE algorithm A256GCM (RFC 9053 section 4.1). */
const a256gcm = 3;
const algorithmLabel = 1;
/** 0001-01-01T00:00:00Z: the first time RFC 3339 can write. */
const earliestMs = -62_135_596_800_000;

/** The header's labels with the values they have; the order of deterministic CBOR is found once, here. */
const labels = [
  algorithmLabel,
  'suite',
  'channel',
  'msp',
  'outlet',
  'consignment',
  'epoch',
  'record',
  'sealId',
  'replaces',
  'schema',
  'collected',
  'fieldRoot',
] as const;
type Label = (typeof labels)[number];

const ordered = labels.map((label) => ({ label, key: encodeCbor(label) })).sort((a, b) => Buffer.compare(a.key, b.key));
const mapHead = encodeCbor(new Map(labels.map((label) => [label, null]))).subarray(0, 1);

function valuesOf(header: EnvelopeHeader): Readonly<Record<Label, CborValue>> {
  return {
    [algorithmLabel]: a256gcm,
    suite,
    channel: header.channel,
    msp: header.msp,
    outlet: header.outlet,
    consignment: header.consignmentOid,
    epoch: header.epoch,
    record: header.recordOid,
    sealId: header.sealId,
    replaces: header.replaces?.bytes ?? null,
    schema: header.schema,
    collected: header.collectedMs,
    fieldRoot: header.fieldRoot,
  };
}

/** Values that stay the same from envelope to envelope; encoding them once makes sealing a third cheaper. */
const lasting: ReadonlySet<Label> = new Set<Label>([
  algorithmLabel,
  'suite',
  'channel',
  'msp',
  'outlet',
  'consignment',
  'epoch',
  'replaces',
  'schema',
  'fieldRoot',
]);

/** Encodes headers, remembering what the last one said. One per consignment. */
export function headerEncoder(): (header: EnvelopeHeader) => Uint8Array {
  const remembered = new Map<Label, { readonly value: CborValue; readonly bytes: Uint8Array }>();
  return (header) => {
    const values = valuesOf(header);
    const parts: Uint8Array[] = [mapHead];
    for (const { label, key } of ordered) {
      const value = values[label];
      const last = remembered.get(label);
      if (last !== undefined && last.value === value) {
        parts.push(last.bytes);
        continue;
      }
      const bytes = Buffer.concat([key, encodeCbor(value)]);
      if (lasting.has(label)) remembered.set(label, { value, bytes });
      parts.push(bytes);
    }
    return Buffer.concat(parts);
  };
}

/** Bytes of the protected header: deterministic CBOR. */
export function encodeHeader(header: EnvelopeHeader): Uint8Array {
  return encodeCbor(new Map<number | string, CborValue>(labels.map((label) => [label, valuesOf(header)[label]])));
}

/**
 * Refuses a header that a reader would refuse.
 * @throws WaymarkError input-invalid
 */
export function checkHeader(header: EnvelopeHeader): void {
  const sizes = [
    header.consignmentOid.length === 16,
    header.recordOid.length === 32,
    header.sealId.length === 16,
    header.fieldRoot === null || header.fieldRoot.length === 32,
    Number.isSafeInteger(header.epoch) && header.epoch >= 0,
    Number.isSafeInteger(header.collectedMs) && header.collectedMs >= earliestMs,
  ];
  const texts = [
    textFits(header.channel, 249),
    textFits(header.msp, 128),
    textFits(header.outlet, 64),
    textFits(header.schema, 256),
  ];
  if ([...sizes, ...texts].includes(false)) {
    throw new WaymarkError('input-invalid', 'The envelope header has a field of another form.');
  }
}

function textFits(text: string, maxLength: number): boolean {
  return text.length > 0 && text.length <= maxLength && !/[\u0000\p{Surrogate}]/u.test(text);
}

/**
 * Reads a decoded protected header strictly: exactly our fields. That its bytes are their one encoding is checked by whoever decoded it.
 * @throws WaymarkError data-abnormal
 */
export function parseHeader(known: DecodedHeader): EnvelopeHeader {
  try {
    if (known.get(algorithmLabel) !== a256gcm) throw abnormal();
    const fields = fieldsOf(known, 'envelope header', [algorithmLabel]);
    fields.constant('suite', suite);
    const replaces = fields.bytesOrNull('replaces');
    const header: EnvelopeHeader = {
      channel: fields.text('channel'),
      msp: fields.text('msp'),
      outlet: fields.text('outlet'),
      consignmentOid: fields.bytes('consignment', 16),
      epoch: fields.integer('epoch'),
      recordOid: fields.bytes('record', 32),
      sealId: fields.bytes('sealId', 16),
      replaces: replaces === null ? null : decodeCid(replaces, [rawCode]),
      schema: fields.text('schema'),
      collectedMs: fields.integer('collected', earliestMs),
      fieldRoot: fields.bytesOrNull('fieldRoot', 32),
    };
    fields.end();
    checkHeader(header);
    return header;
  } catch (error) {
    if (isWaymarkError(error)) throw abnormal(error);
    throw error;
  }
}

function abnormal(cause?: unknown): WaymarkError {
  return new WaymarkError('data-abnormal', 'The envelope does not have the form of one.', { cause });
}

/** What a reader or an auditor expects an envelope to be; each field that is given must be equal. */
export type ExpectedHeader = Partial<
  Pick<EnvelopeHeader, 'channel' | 'msp' | 'outlet' | 'consignmentOid' | 'epoch' | 'recordOid' | 'sealId' | 'schema'>
>;

/** Names of the expected fields that a header does not have. */
export function headerDifferences(header: EnvelopeHeader, expected: ExpectedHeader): readonly string[] {
  const differs = (name: keyof ExpectedHeader): boolean => {
    const want = expected[name];
    const have = header[name];
    if (want === undefined) return false;
    return want instanceof Uint8Array && have instanceof Uint8Array ? !bytesEqual(want, have) : want !== have;
  };
  return (Object.keys(expected) as (keyof ExpectedHeader)[]).filter(differs);
}
