/**
 * Flips one bit of a stored block on disk, behind the back of the running services; with `--heal` only when that puts it right.
 *
 *   npm run tamper -- --data DIR --cid CID [--heal]
 *
 * Prints {file, offset, cid}; offset is null when there was nothing to heal. Exit code 1 when no store below DIR holds the block.
 */
import { parseArgs } from 'node:util';
import { findStoredBlock, flipStoredBit, isIntact } from './tamper/stored-block.ts';

const { values } = parseArgs({
  options: { data: { type: 'string' }, cid: { type: 'string' }, heal: { type: 'boolean', default: false } },
});
if (values.data === undefined || values.cid === undefined) {
  process.stderr.write('usage: npm run tamper -- --data DIR --cid CID [--heal]\n');
  process.exit(2);
}
const found = await findStoredBlock(values.data, values.cid);
if (found === undefined) {
  process.stderr.write('no store holds this block\n');
  process.exit(1);
}
if (values.heal && (await isIntact(found, values.cid))) {
  process.stdout.write(`${JSON.stringify({ file: found.file, offset: null, cid: values.cid })}\n`);
  process.exit(0);
}
const offset = await flipStoredBit(found);
process.stdout.write(`${JSON.stringify({ file: found.file, offset, cid: values.cid })}\n`);
