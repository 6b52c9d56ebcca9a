import { openRecordFile, type RecordFile } from '@waymark/capture';
import { isWaymarkError, type ShipmentRecord, type WaymarkError } from '@waymark/protocol';
import { type Output, type ShownError, shownError } from './output.ts';

/** Files that were read through, and those that were refused. */
export interface OpenedFiles {
  readonly good: readonly RecordFile[];
  readonly refused: readonly { readonly error: WaymarkError; readonly shown: ShownError }[];
}

/** Reads every file through; a bad one is refused whole and does not keep the others back. */
export async function openFiles(paths: readonly string[], output: Output): Promise<OpenedFiles> {
  const good: RecordFile[] = [];
  const refused: { error: WaymarkError; shown: ShownError }[] = [];
  for (const path of paths) {
    try {
      good.push(await openRecordFile(path));
    } catch (error) {
      if (!isWaymarkError(error)) throw error;
      const shown = { file: path, ...shownError(error) };
      refused.push({ error, shown });
      output.note(`refused: ${shown.message}`);
    }
  }
  return { good, refused };
}

/** The records of several files, one after the other. */
export async function* recordsOf(files: readonly RecordFile[]): AsyncGenerator<ShipmentRecord> {
  for (const file of files) yield* file.records();
}
