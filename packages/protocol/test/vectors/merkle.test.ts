import { join } from 'node:path';
import { verifyConsistency, verifyInclusion } from '../../src/index.ts';
import { describeVectors, filesBelow, readVectors, Tally } from '../support/vectors.ts';

interface InclusionVector {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly root: string;
  readonly leafHash: string;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}
interface ConsistencyVector {
  readonly size1: number;
  readonly size2: number;
  readonly root1: string;
  readonly root2: string;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}

const base64 = (text: string): Uint8Array => Buffer.from(text, 'base64');
const hashes = (proof: readonly string[] | null): Uint8Array[] => (proof ?? []).map(base64);

describeVectors('RFC 6962 proofs (transparency-dev/merkle)', 'merkle-rfc6962/testdata', (folder) => {
  const run = (kind: string, holds: (vector: never) => boolean): void => {
    const files = filesBelow(join(folder, kind));
    const tally = new Tally(`RFC 6962 ${kind}`);
    for (const file of files) {
      const vector = readVectors(join(folder, kind, file)) as { readonly wantErr: boolean };
      expect([file, holds(vector as never)]).toEqual([file, !vector.wantErr]);
      tally.count(vector.wantErr ? 'false proofs refused' : 'proofs hold');
    }
    expect(tally.of('proofs hold')).toBeGreaterThan(0);
    expect(tally.of('false proofs refused')).toBeGreaterThan(50);
    tally.close(files.length);
  };

  test('inclusion', () => {
    run('inclusion', ({ leafIdx, treeSize, root, leafHash, proof }: InclusionVector) =>
      verifyInclusion({ size: treeSize, root: base64(root) }, leafIdx, base64(leafHash), hashes(proof)),
    );
  });

  test('consistency', () => {
    run('consistency', ({ size1, size2, root1, root2, proof }: ConsistencyVector) =>
      verifyConsistency({ size: size1, root: base64(root1) }, { size: size2, root: base64(root2) }, hashes(proof)),
    );
  });

  test('nothing else is in the folder', () => {
    const known = filesBelow(folder).filter((file) => /^(inclusion|consistency)\/.+\.json$/.test(file));
    expect(filesBelow(folder)).toEqual(known);
  });
});
