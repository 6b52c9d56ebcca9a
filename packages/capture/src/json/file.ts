/** A JSON file as a sequence of items, read in one pass each time, with no more than one item in memory. */
import { refusedFile } from '../file/refusal.ts';
import type { FileLimits } from '../file/limits.ts';
import type { FileSource } from '../file/source.ts';
import { readLines } from './lines.ts';
import { JsonSplitter, JsonStructureFault, type JsonElement, type JsonFrame } from './splitter.ts';
import { parseItem, type JsonItem } from './text.ts';

/** How the items stand in the file: one alone, in one list, one per line, or in the list of events of a document. */
type JsonForm = 'single' | 'list' | 'lines' | 'document';

export interface JsonFile {
  readonly form: JsonForm;
  /** What surrounds the events of a document; the item itself when it is alone. */
  readonly frame: JsonItem | undefined;
  /** The items, from the start of the file. */
  items(): AsyncGenerator<JsonItem>;
}

function refusedStructure(file: string, fault: unknown): unknown {
  if (!(fault instanceof JsonStructureFault)) return fault;
  const code = fault.isLimit ? 'limit-exceeded' : 'input-invalid';
  return refusedFile({ file, place: '', line: fault.line, reason: fault.message }, code, fault);
}

async function readFrame(source: FileSource, limits: FileLimits): Promise<JsonFrame> {
  const splitter = new JsonSplitter(limits.itemBytes);
  try {
    for await (const chunk of source.chunks()) splitter.write(chunk);
    return splitter.end();
  } catch (error) {
    throw refusedStructure(source.path, error);
  }
}

async function* split(source: FileSource, limits: FileLimits): AsyncGenerator<JsonElement> {
  const splitter = new JsonSplitter(limits.itemBytes);
  try {
    for await (const chunk of source.chunks()) yield* splitter.write(chunk);
  } catch (error) {
    throw refusedStructure(source.path, error);
  }
}

async function* elements(source: FileSource, limits: FileLimits, prefix: string): AsyncGenerator<JsonItem> {
  for await (const element of split(source, limits)) {
    yield parseItem(
      source.path,
      element.bytes,
      `${prefix}/${element.index}`,
      limits.itemBytes,
      (line) => element.line + line - 1,
    );
  }
}

async function* lines(source: FileSource, limits: FileLimits): AsyncGenerator<JsonItem> {
  for await (const { bytes, line } of readLines(source, limits.itemBytes)) {
    yield parseItem(source.path, bytes, '', limits.itemBytes, () => line);
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- the other sequences of items do wait
async function* only(item: JsonItem): AsyncGenerator<JsonItem> {
  yield item;
}

async function readWhole(source: FileSource, limits: FileLimits): Promise<JsonItem> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of source.chunks()) {
    sizeBytes += chunk.length;
    if (sizeBytes > limits.itemBytes)
      throw refusedFile(
        { file: source.path, place: '', reason: `a single value has more than ${limits.itemBytes} bytes` },
        'limit-exceeded',
      );
    chunks.push(Buffer.from(chunk));
  }
  return parseItem(source.path, Buffer.concat(chunks), '', limits.itemBytes, (line) => line);
}

/**
 * Finds out how the items of a file stand.
 * @param documentList place of the list of items that a document has, by the value around it; `undefined` when it is no document
 * @throws WaymarkError input-invalid or limit-exceeded, with file, line and reason
 */
export async function readJsonFile(
  source: FileSource,
  limits: FileLimits,
  documentList: (frame: unknown) => string | undefined,
): Promise<JsonFile> {
  const frame = await readFrame(source, limits);
  const isList = frame.bytes.toString('latin1').trimStart().startsWith('[');
  if (frame.trailingLine !== undefined) {
    if (isList)
      throw refusedFile({
        file: source.path,
        place: '',
        line: frame.trailingLine,
        reason: 'there is something behind the end of the list',
      });
    return { form: 'lines', frame: undefined, items: () => lines(source, limits) };
  }
  const { cut } = frame;
  const item = parseItem(source.path, frame.bytes, '', limits.itemBytes, (line, offset) =>
    cut !== undefined && offset >= cut.offset ? line + cut.lines : line,
  );
  if (isList) return { form: 'list', frame: undefined, items: () => elements(source, limits, '') };
  const list = documentList(item.value);
  if (cut === undefined) return { form: 'single', frame: item, items: () => only(item) };
  if (list === cut.place) return { form: 'document', frame: item, items: () => elements(source, limits, list) };
  // A long list that is not that of such a document is part of a value like any other.
  const whole = await readWhole(source, limits);
  return { form: 'single', frame: whole, items: () => only(whole) };
}
