import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SealedBatch } from '../src/index.ts';
import { generate, transportGenerated, transportProto } from '../../../scripts/generate.ts';

test('the committed code is what the .proto files generate', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'waymark-generated-'));
  try {
    generate(transportProto, scratch);
    const names = readdirSync(scratch).sort();
    expect(readdirSync(transportGenerated).sort()).toEqual(names);
    for (const name of names) {
      expect(readFileSync(join(transportGenerated, name), 'utf8')).toBe(readFileSync(join(scratch, name), 'utf8'));
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});

test('a number above 2^53 - 1 is refused, not rounded', () => {
  const largest = SealedBatch.encode(SealedBatch.create({ ref: Number.MAX_SAFE_INTEGER })).finish();
  expect(SealedBatch.decode(largest).ref).toBe(Number.MAX_SAFE_INTEGER);
  // Field 1, varint 2^53.
  const tooLarge = Uint8Array.from([0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]);
  expect(() => SealedBatch.decode(tooLarge)).toThrow(/MAX_SAFE_INTEGER/);
});
