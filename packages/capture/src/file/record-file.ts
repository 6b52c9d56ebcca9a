import type { ShipmentRecord } from '@waymark/protocol';

/** The forms of file that are read. */
export type RecordFormat = 'epcis-2.0' | 'cargo2000' | 'records-json';

/** A file that was read through and found good. */
export interface RecordFile {
  readonly path: string;
  readonly format: RecordFormat;
  /** How many records `records()` hands out. */
  readonly count: number;
  /**
   * The records in the order of the file, read again from the file; may be called more than once.
   * @throws WaymarkError input-invalid when the file was changed since it was opened
   */
  records(): AsyncIterable<ShipmentRecord>;
}
