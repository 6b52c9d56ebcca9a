import { createPublicKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyLowS } from '../src/msp/signature-verification.ts';

interface Vectors {
  readonly numberOfTests: number;
  readonly testGroups: readonly {
    readonly publicKeyDer: string;
    readonly tests: readonly {
      readonly tcId: number;
      readonly msg: string;
      readonly sig: string;
      readonly result: 'valid' | 'invalid' | 'acceptable';
    }[];
  }[];
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const halfOrder = 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8n;

/** Of a signature in order: sequence, r, s, each with a length of one byte. */
function hasHighS(der: Buffer): boolean {
  const rBytes = der.readUInt8(3);
  return BigInt(`0x${der.subarray(4 + rBytes + 2).toString('hex')}`) > halfOrder;
}

const root = process.env['WAYMARK_DATA'];
const path = join(root ?? '', 'wycheproof', 'ecdsa_secp256r1_sha256_test.json');
const isThere = root !== undefined && existsSync(path);

(isThere ? describe : describe.skip)(
  `Wycheproof ecdsa_secp256r1_sha256${isThere ? '' : ' (skipped: WAYMARK_DATA does not name a folder with it)'}`,
  () => {
    test('a signature in DER is taken or refused as it must be', () => {
      const { numberOfTests, testGroups } = JSON.parse(readFileSync(path, 'utf8')) as Vectors;
      const counts = { valid: 0, highS: 0, invalid: 0 };
      for (const { publicKeyDer, tests } of testGroups) {
        const key = createPublicKey({ key: hex(publicKeyDer), format: 'der', type: 'spki' });
        for (const { tcId, msg, sig, result } of tests) {
          const taken = verifyLowS(key, publicKeyDer, hex(msg), hex(sig));
          // The high-S twin of a signature is right ECDSA, and refused as Fabric refuses it.
          expect([tcId, taken]).toEqual([tcId, result === 'valid' && !hasHighS(hex(sig))]);
          if (taken) counts.valid += 1;
          else counts[result === 'valid' ? 'highS' : 'invalid'] += 1;
        }
      }
      process.stderr.write(
        `wycheproof ecdsa_secp256r1_sha256: ${counts.valid} valid accepted, ${counts.highS} high-S refused, ${counts.invalid} invalid refused\n`,
      );
      expect(counts.valid + counts.highS + counts.invalid).toBe(numberOfTests);
    });
  },
);
