import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extract } from 'tar';
import { buildChaincodePackage } from '../src/chaincode/package.ts';

describe('a chaincode package', () => {
  test('the same label and address give the same bytes, so that installing again is recognised', async () => {
    const [first, second] = [
      await buildChaincodePackage('waymark_1', '127.0.0.1:9999'),
      await buildChaincodePackage('waymark_1', '127.0.0.1:9999'),
    ];
    expect(Buffer.compare(first.bytes, second.bytes)).toBe(0);
    expect(first.id).toBe(`waymark_1:${createHash('sha256').update(first.bytes).digest('hex')}`);
    expect((await buildChaincodePackage('waymark_1', '127.0.0.1:9998')).id).not.toBe(first.id);
  });

  test("it is of type ccaas and holds the server's address and nothing else", async () => {
    const dir = await mkdtemp(join(tmpdir(), 'chaincode-package-test-'));
    try {
      await writeFile(join(dir, 'p.tar.gz'), (await buildChaincodePackage('waymark_1', '127.0.0.1:9999')).bytes);
      await extract({ file: join(dir, 'p.tar.gz'), cwd: dir });
      await extract({ file: join(dir, 'code.tar.gz'), cwd: dir });
      expect(JSON.parse(await readFile(join(dir, 'metadata.json'), 'utf8'))).toEqual({
        type: 'ccaas',
        label: 'waymark_1',
      });
      expect(JSON.parse(await readFile(join(dir, 'connection.json'), 'utf8'))).toMatchObject({
        address: '127.0.0.1:9999',
      });
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
