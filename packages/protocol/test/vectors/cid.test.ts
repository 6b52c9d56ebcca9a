import { readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import * as dagCbor from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { cidOfDagCbor, decodeCid, parseCid, sha256, verifyBlock } from '../../src/index.ts';
import { codeOf, flipped } from '../support/refusal.ts';
import { describeVectors, filesBelow, Tally } from '../support/vectors.ts';

describeVectors('IPLD codec fixtures', 'ipld-codec-fixtures/fixtures', (folder) => {
  test('every dag-cbor block has its published CID, and the codec we write with gives its bytes back', () => {
    const files = filesBelow(folder);
    const tally = new Tally('IPLD codec fixtures');
    for (const file of files) {
      const codec = extname(file);
      const name = basename(file, codec);
      if (codec !== '.dag-cbor') {
        expect(['.dag-json', '.dag-pb']).toContain(codec);
        expect([file, codeOf(() => parseCid(name))]).toEqual([file, 'input-invalid']);
        tally.count(`${codec.slice(1)} refused: not a kind of block that is used here`);
        continue;
      }
      const bytes = readFileSync(join(folder, file));
      expect([file, cidOfDagCbor(bytes).toString()]).toEqual([file, name]);
      const cid = parseCid(name);
      expect(decodeCid(cid.bytes).equals(cid)).toBe(true);
      expect([file, codeOf(() => verifyBlock(cid, bytes))]).toEqual([file, 'accepted']);
      expect([file, codeOf(() => verifyBlock(cid, flipped(bytes, 0)))]).toEqual([file, 'data-abnormal']);
      expect([file, Buffer.from(dagCbor.encode(dagCbor.decode(bytes)))]).toEqual([file, bytes]);
      tally.count('dag-cbor blocks equal');
    }
    expect(tally.of('dag-cbor blocks equal')).toBeGreaterThan(100);
    tally.close(files.length);
  });

  test('the CIDs that some fixtures are about are taken when they are ours, and refused when not', () => {
    const names = [...new Set(filesBelow(folder).map((file) => /^cid-(\w{40,}|z\w+|baf\w+)\//.exec(file)?.[1]))];
    const texts = names.filter((name) => name !== undefined);
    const tally = new Tally('IPLD CID fixtures');
    for (const text of texts) {
      const cid = CID.parse(text);
      const named = cid.version === 1 && cid.multihash.code === 0x12 && (cid.code === 0x55 || cid.code === 0x71);
      const ours = named && text.startsWith('b');
      expect([text, codeOf(() => parseCid(text))]).toEqual([text, ours ? 'accepted' : 'input-invalid']);
      expect([text, codeOf(() => decodeCid(cid.bytes))]).toEqual([text, named ? 'accepted' : 'input-invalid']);
      tally.count(
        ours
          ? 'taken'
          : named
            ? 'taken as bytes, refused as base58 text'
            : 'refused: version 0, other hash, other kind',
      );
    }
    expect(texts.length).toBeGreaterThan(10);
    tally.close(texts.length);
  });
});

describeVectors('multihash sha2-256', 'multiformats/multihash/tests/values', (folder) => {
  test('every full SHA-256 digest is ours', () => {
    // The file beside it, random_vals.csv, holds the inputs alone.
    const rows = readFileSync(join(folder, 'test_cases.csv'), 'utf8').trim().split('\n').slice(1);
    const tally = new Tally('multihash');
    for (const row of rows) {
      const [algorithm = '', bits, input = '', multihash = ''] = row.split(',');
      if (algorithm !== 'sha2-256') {
        tally.count('skipped: not SHA-256, the only hash of our CIDs');
        continue;
      }
      const digest = sha256(Buffer.from(input, 'latin1'));
      const cid = Buffer.concat([Uint8Array.of(1, 0x55), Buffer.from(multihash, 'hex')]);
      if (bits === '256') {
        expect([row, Buffer.from(digest).toString('hex')]).toEqual([row, multihash.slice(4)]);
        expect([row, codeOf(() => decodeCid(cid))]).toEqual([row, 'accepted']);
        tally.count('digests equal');
      } else {
        expect([row, codeOf(() => decodeCid(cid))]).toEqual([row, 'input-invalid']);
        tally.count('shortened digests refused in a CID');
      }
    }
    expect(tally.of('digests equal')).toBeGreaterThan(5);
    tally.close(rows.length);
  });
});

describeVectors('multibase base32', 'multiformats/multibase/tests', (folder) => {
  test('only lower-case base32 without padding can be the text of a CID', () => {
    const files = filesBelow(folder).filter((file) => file.endsWith('.csv'));
    const prefixes = new Set<string>();
    for (const file of files) {
      for (const row of readFileSync(join(folder, file), 'utf8').trim().split('\n').slice(1)) {
        const [encoding = '', text = ''] = row.split(',').map((cell) => cell.trim().replaceAll('"', ''));
        if (encoding !== 'base32') prefixes.add(String.fromCodePoint(text.codePointAt(0) ?? 0));
      }
    }
    const body = cidOfDagCbor(Uint8Array.of(1)).toString().slice(1);
    expect(codeOf(() => parseCid(`b${body}`))).toBe('accepted');
    expect(prefixes.size).toBeGreaterThan(15);
    for (const prefix of prefixes) expect([prefix, codeOf(() => parseCid(prefix + body))]).toEqual([prefix, 'input-invalid']); // prettier-ignore
    process.stderr.write(`multibase: base32 taken, ${prefixes.size} other encodings refused\n`);
  });
});
