import fc from 'fast-check';
import { isWaymarkError } from '@waymark/protocol';
import { decodeEnvelope, encodeEnvelope } from '../../../src/peers/codec/envelope.ts';
import { messages, messagesByType } from './arbitraries.ts';

test.each(Object.entries(messagesByType))('%s: what is read is what was written', (_type, arbitrary) => {
  fc.assert(
    fc.property(arbitrary, (message) => {
      expect(decodeEnvelope(encodeEnvelope({ kind: 'message', message }))).toEqual({ kind: 'message', message });
    }),
    { numRuns: 60 },
  );
});

test('bytes that were changed are another envelope or refused with input-invalid, never anything else', () => {
  const change = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }), cut: fc.boolean() });
  fc.assert(
    fc.property(messages, fc.array(change, { minLength: 1, maxLength: 4 }), (message, changes) => {
      let bytes = Uint8Array.from(encodeEnvelope({ kind: 'message', message }));
      for (const { at, to, cut } of changes) {
        bytes[at % bytes.length] = to;
        if (cut) bytes = bytes.slice(0, Math.max(1, at % bytes.length));
      }
      decodedOrRefused(bytes);
    }),
    { numRuns: 600 },
  );
});

test('random bytes are refused with input-invalid', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), decodedOrRefused), { numRuns: 1_000 });
});

function decodedOrRefused(bytes: Uint8Array): void {
  try {
    decodeEnvelope(bytes);
  } catch (error) {
    if (!isWaymarkError(error) || error.code !== 'input-invalid') throw error;
  }
}
