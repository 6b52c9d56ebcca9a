import { isDeepStrictEqual } from 'node:util';
import { isWaymarkError } from '@waymark/protocol';
import type { PersistStep } from '@waymark/rsl';
import { newDisk, openOn, segmentPath } from './log.ts';

const maxSegmentSizeBytes = 500;

/** Alters single bits of a closed log of a few segments, and counts what became of it. Throws when one is not noticed. */
export async function everyFlip(
  steps: readonly PersistStep[],
  bitsOf: (octet: number) => readonly number[],
): Promise<{ flips: number; refused: number; torn: number }> {
  const disk = newDisk();
  const log = await openOn(disk, { maxSegmentSizeBytes });
  for (const step of steps) await log.persist([step]);
  await log.close();
  let flips = 0;
  let refused = 0;
  let torn = 0;
  for (const path of disk.paths()) {
    const bytes = disk.bytesOf(path);
    for (let octet = 0; octet < bytes.length; octet += 1) {
      for (const bit of bitsOf(octet)) {
        const altered = disk.copy();
        const target = altered.bytesOf(path);
        target.writeUInt8(target.readUInt8(octet) ^ (1 << bit), octet);
        flips += 1;
        try {
          const { restored } = await openOn(altered, { maxSegmentSizeBytes });
          // What was acknowledged must be there all the same.
          if (restored.tornTail === null || restored.steps.length !== steps.length)
            throw new Error(`bit ${bit} of octet ${octet} in ${path} was not noticed`);
          torn += 1;
        } catch (fault) {
          if (!isWaymarkError(fault, 'data-abnormal')) throw fault;
          refused += 1;
        }
      }
    }
  }
  return { flips, refused, torn };
}

/**
 * Cuts a log at every octet of its last group. Throws when anything but a beginning of it is there afterwards, or the cut is not reported.
 * @returns how many steps were there, each number once
 */
export async function everyTear(before: readonly PersistStep[], group: readonly PersistStep[]): Promise<number[]> {
  const disk = newDisk();
  const log = await openOn(disk);
  await log.persist(before);
  const provenBytes = disk.bytesOf(segmentPath(1)).length;
  await log.persist(group);
  const bytes = Buffer.from(disk.bytesOf(segmentPath(1)));
  const seen = new Set<number>();
  for (let size = provenBytes; size < bytes.length; size += 1) {
    const torn = disk.copy();
    torn.replace(segmentPath(1), bytes.subarray(0, size));
    const { steps, tornTail } = (await openOn(torn)).restored;
    if (steps.length < before.length || !isDeepStrictEqual(steps, [...before, ...group].slice(0, steps.length)))
      throw new Error(`cut at ${size} there are ${steps.length} steps`);
    if (tornTail !== null && tornTail.offset + tornTail.sizeBytes !== size)
      throw new Error(`the cut at ${size} is not reported`);
    seen.add(steps.length);
  }
  return [...seen].sort((a, b) => a - b);
}
