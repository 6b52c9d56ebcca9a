/** What a file is, by its first bytes: a name's ending may lie. */
import { refusedFile } from './refusal.ts';

/** Forms that are told apart before anything is parsed. */
export type ContentForm = 'json' | 'table';

const foreignForms: readonly (readonly [signature: readonly number[], what: string])[] = [
  [[0x1f, 0x8b], 'is compressed by gzip; unpack it first'],
  [[0x50, 0x4b, 0x03, 0x04], 'is a ZIP archive; unpack it first'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'is compressed by Zstandard; unpack it first'],
  [[0xff, 0xfe], 'is UTF-16; UTF-8 is read'],
  [[0xfe, 0xff], 'is UTF-16; UTF-8 is read'],
];

/**
 * Tells the form of a file from its beginning.
 * @param head the first bytes, without byte order mark
 * @throws WaymarkError unsupported for forms that are known but not read, input-invalid for what is none
 */
export function contentForm(file: string, head: Buffer): ContentForm {
  for (const [signature, what] of foreignForms) {
    if (signature.every((byte, index) => head[index] === byte))
      throw refusedFile({ file, place: '', reason: what }, 'unsupported');
  }
  const text = head.toString('latin1').trimStart();
  if (text === '') throw refusedFile({ file, place: '', reason: 'is empty' });
  if (text.startsWith('{') || text.startsWith('[')) return 'json';
  if (text.startsWith('<'))
    throw refusedFile({ file, place: '', line: 1, reason: 'is XML; EPCIS is read as JSON' }, 'unsupported');
  const [firstLine = ''] = text.split(/[\r\n]/);
  if (/^"?[\w-]+"?,/.test(firstLine)) return 'table';
  throw refusedFile({ file, place: '', line: 1, reason: 'is neither JSON nor a table of shipments' });
}
