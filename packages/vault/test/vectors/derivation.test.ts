import { isWaymarkError } from '@waymark/protocol';
import { hkdfExpand, hkdfExtract, hmacSha256, secretKey } from '../../src/derivation/hkdf.ts';
import { Tally, describeVectors, hex, type WycheproofCase, type WycheproofFile } from '../support/vectors.ts';

interface HkdfCase extends WycheproofCase {
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
}
interface MacCase extends WycheproofCase {
  readonly key: string;
  readonly msg: string;
  readonly tag: string;
}

describeVectors('Wycheproof hkdf_sha256', 'wycheproof/hkdf_sha256_test.json', (data) => {
  test('every vector derives its key or is refused for its size', () => {
    const file = data as WycheproofFile<{ readonly tests: readonly HkdfCase[] }>;
    const tally = new Tally('wycheproof hkdf_sha256');
    for (const vector of file.testGroups.flatMap(({ tests }) => tests)) {
      const derive = (): string => {
        const prk = secretKey(hkdfExtract(hex(vector.salt), hex(vector.ikm)));
        return Buffer.from(hkdfExpand(prk, hex(vector.info), vector.size)).toString('hex');
      };
      if (vector.result === 'valid') expect([vector.tcId, derive()]).toEqual([vector.tcId, vector.okm]);
      else expect(derive).toThrow(expect.objectContaining({ code: 'limit-exceeded' }) as Error);
      tally.pass(vector.result);
    }
    tally.close(file.numberOfTests);
  });
});

describeVectors('Wycheproof hmac_sha256', 'wycheproof/hmac_sha256_test.json', (data) => {
  test('every vector with a full tag is matched or not as it must be', () => {
    const file = data as WycheproofFile<{ readonly tagSize: number; readonly tests: readonly MacCase[] }>;
    const tally = new Tally('wycheproof hmac_sha256');
    for (const { tagSize, tests } of file.testGroups) {
      for (const vector of tests) {
        // We never cut a tag; a cut one is compared with the front of ours, which is what RFC 2104 section 5 defines.
        const tag = Buffer.from(hmacSha256(hex(vector.key), hex(vector.msg))).subarray(0, tagSize / 8);
        expect([vector.tcId, tag.equals(hex(vector.tag))]).toEqual([vector.tcId, vector.result === 'valid']);
        tally.pass(vector.result);
      }
    }
    tally.close(file.numberOfTests);
  });
});

test('HKDF refuses sizes it cannot give', () => {
  for (const size of [0, -1, 1.5, 255 * 32 + 1, Number.NaN]) {
    let code: unknown = null;
    try {
      hkdfExpand(new Uint8Array(32), new Uint8Array(0), size);
    } catch (error) {
      code = isWaymarkError(error) ? error.code : error;
    }
    expect([size, code]).toEqual([size, 'limit-exceeded']);
  }
});
