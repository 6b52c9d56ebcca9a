import { createSecretKey } from 'node:crypto';
import { decryptContent, encryptContent, isWaymarkError } from '@waymark/protocol';
import { Tally, describeVectors, hex, type WycheproofCase, type WycheproofFile } from '../support/vectors.ts';

interface AeadCase extends WycheproofCase {
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}
interface AeadGroup {
  readonly keySize: number;
  readonly ivSize: number;
  readonly tagSize: number;
  readonly tests: readonly AeadCase[];
}

describeVectors('Wycheproof aes_gcm', 'wycheproof/aes_gcm_test.json', (data) => {
  test('A256GCM seals and opens as it must; other sizes of key, IV or tag are not in use', () => {
    const file = data as WycheproofFile<AeadGroup>;
    const tally = new Tally('wycheproof aes_gcm');
    for (const { keySize, ivSize, tagSize, tests } of file.testGroups) {
      for (const vector of tests) {
        if (keySize !== 256 || ivSize !== 96 || tagSize !== 128) {
          tally.skip(keySize === 256 ? 'IV is not 96 bits' : 'key is not 256 bits');
          continue;
        }
        const key = createSecretKey(hex(vector.key));
        const sealed = hex(vector.ct + vector.tag);
        let opened: string | null = null;
        try {
          opened = Buffer.from(decryptContent(key, hex(vector.iv), sealed, hex(vector.aad))).toString('hex');
        } catch (error) {
          if (!isWaymarkError(error, 'decryption-failed')) throw error;
        }
        expect([vector.tcId, opened]).toEqual([vector.tcId, vector.result === 'valid' ? vector.msg : null]);
        if (vector.result === 'valid') {
          const again = encryptContent(key, hex(vector.iv), hex(vector.msg), hex(vector.aad));
          expect(Buffer.from(again).equals(sealed)).toBe(true);
        }
        tally.pass(vector.result);
      }
    }
    tally.close(file.numberOfTests);
  });
});
