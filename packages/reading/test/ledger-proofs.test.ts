import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeRecordProof, type LedgerChain, openLedgerChain, type RecordProof } from '@waymark/ledger-chain';
import { decodeCid, type WaymarkError, WaymarkError as Refusal } from '@waymark/protocol';
import { createLedgerProofs, type LedgerProofs } from '../src/ledger/ledger-proofs.ts';
import { createTrustedReader, type Hint, type TrustedReaderParts } from '../src/index.ts';
import {
  channel,
  createTestLedger,
  ledgerName,
  msp,
  storedAnchor,
  type TestLedger,
} from '../../ledger-chain/test/support/test-ledger.ts';

let ledger: TestLedger;
let other: TestLedger;
let chain: LedgerChain;
let folder: string;
let own: readonly string[];
let late: readonly string[];
/** Of blocks 1 to 3; blocks 4 and 5 are confirmed and no more. */
let anchor: ReturnType<typeof storedAnchor>;

beforeAll(async () => {
  ledger = await createTestLedger();
  own = ledger.submit('outlet-1', 5, [2]);
  ledger.submit('outlet-2', 3);
  late = ledger.submit('outlet-1', 2);
  folder = await mkdtemp(join(tmpdir(), 'waymark-reading-'));
  chain = await openLedgerChain({ folder: join(folder, 'chain'), ledger: ledgerName, bodyCipher: ledger.bodyCipher });
  await chain.apply(ledger.blocks);
  const [height = 0] = own.map((oid) => chain.findRecord(oid)?.height ?? 0);
  anchor = storedAnchor(ledger.anchorOf(1, height), ledger.blocks);
  chain.markAnchored(anchor);
  other = await createTestLedger({ rewriting: ledger });
  other.submit('outlet-1', 5);
});
afterAll(async () => {
  await chain.close();
  await rm(folder, { recursive: true });
});

type Channel = Record<string, (...args: string[]) => object | undefined>;

/** The channel as it is: the anchor, the members as they were registered. */
function channelOf(change: Channel = {}): Channel & { readonly calls: string[] } {
  const asAnchor = (of: typeof anchor): object => ({ v: 1, msp, ...of });
  const calls: string[] = [];
  const functions: Channel = {
    get: (_msp, last) => (Number(last) === anchor.last ? asAnchor(anchor) : undefined),
    list: (_msp, from) => ({ v: 1, items: Number(from) <= anchor.last ? [asAnchor(anchor)] : [], next: null }),
    configuration: (_msp, epoch) => (epoch === '1' ? { v: 1, msp, height: 0, hash: null, ...ledger.first } : undefined),
    certificate(_msp, digest) {
      const identity = [...ledger.identities.values()].find((candidate) => candidate.digest === digest);
      if (identity === undefined || identity.enrolmentId.startsWith('outlet')) return undefined;
      const key = new X509Certificate(identity.certificatePem).publicKey.export({ format: 'der', type: 'spki' });
      return { v: 1, member: identity.enrolmentId, digest, publicKey: key.toString('base64url') };
    },
    ...change,
  };
  return Object.assign(functions, { calls });
}

const proofsOver = (functions: ReturnType<typeof channelOf>, parts: Partial<TrustedReaderParts> = {}): LedgerProofs =>
  createLedgerProofs({ ...partsOver(functions), ...parts });

function partsOver(functions: ReturnType<typeof channelOf>): TrustedReaderParts {
  const nobody = (): never => {
    throw new Error('not asked for here');
  };
  return {
    ledger: {
      channel,
      mspId: msp,
      evaluate(contract, fn, args) {
        functions.calls.push(fn);
        const found = functions[fn]?.(...args.map(String));
        if (contract !== 'anchors' || found === undefined)
          return Promise.reject(new Refusal('refused', 'not there', { details: { reason: 'not-there' } }));
        return Promise.resolve(Buffer.from(JSON.stringify(found)));
      },
    },
    content: { get: nobody },
    keys: { consignmentKeys: nobody },
    verifierOf: () => ({
      verify: (der: Uint8Array) => ({ enrolmentId: /CN=(.*)/.exec(new X509Certificate(der).subject)?.[1] }) as never,
    }),
  };
}

const hintOf = (proof: RecordProof, seq: number, outlet = 'outlet-1'): Hint => ({
  recordOid: proof.oid,
  evidenceId: `${msp}/${outlet}/${String(seq)}`,
  leafIndex: proof.index,
  cid: decodeCid(proof.cid).toString(),
});
const prove = (oid: string): Promise<RecordProof> => chain.proveRecord(oid, { confirmation: ledger.confirmation });
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error as WaymarkError).code,
  );

describe('a record under an anchor', () => {
  test('is anchored, with its block and the transaction that the channel names', async () => {
    const proof = await prove(own[0] ?? '');
    const functions = channelOf();
    const proven = await proofsOver(functions).check(hintOf(proof, 1), encodeRecordProof(proof));
    expect(proven).toMatchObject({
      state: 'anchored',
      header: { height: anchor.last },
      blockHash: anchor.hash,
      anchor: { first: 1, last: anchor.last, txId: `tx-${String(anchor.last)}` },
    });
    expect(functions.calls).toEqual(['get']);
  });

  test('further records under the same anchor need no chaincode call', async () => {
    const functions = channelOf();
    const proofs = proofsOver(functions);
    for (const oid of [own[0], own[1], own[3], own[0]]) {
      const proof = await prove(oid ?? '');
      await proofs.check(hintOf(proof, 1), encodeRecordProof(proof));
    }
    expect(functions.calls).toEqual(['get']);
  });

  test('with any byte of its proof altered is data-abnormal', async () => {
    const proof = await prove(own[0] ?? '');
    const bytes = encodeRecordProof(proof);
    const proofs = proofsOver(channelOf());
    const codes = new Set<string>();
    for (let at = 0; at < bytes.length; at += 1) {
      const altered = Uint8Array.from(bytes);
      altered[at] = (altered[at] ?? 0) ^ (1 << (at % 8));
      codes.add(await codeOf(proofs.check(hintOf(proof, 1), altered)));
    }
    expect([...codes]).toEqual(['data-abnormal']);
  });

  test('a place of the channel that names another anchor, or another range, is data-abnormal', async () => {
    const proof = await prove(own[0] ?? '');
    const foreign = storedAnchor(other.anchorOf(1, anchor.last), other.blocks);
    for (const change of [foreign, { root: '0'.repeat(64) }, { first: anchor.first + 1 }, { hash: foreign.hash }]) {
      const proofs = proofsOver(channelOf({ get: () => ({ v: 1, msp, ...anchor, ...change }) }));
      expect(await codeOf(proofs.check(hintOf(proof, 1), encodeRecordProof(proof)))).toBe('data-abnormal');
    }
    const renamed = proofsOver(channelOf({ get: () => ({ v: 1, ...anchor, msp: 'OtherMSP' }) }));
    expect(await codeOf(renamed.check(hintOf(proof, 1), encodeRecordProof(proof)))).toBe('data-abnormal');
  });

  test('of a chain that was written anew, with the same keys, is data-abnormal', async () => {
    const rewritten = await openLedgerChain({
      folder: join(folder, 'rewritten'),
      ledger: ledgerName,
      bodyCipher: other.bodyCipher,
    });
    await rewritten.apply(other.blocks);
    rewritten.markAnchored(storedAnchor(other.anchorOf(1, anchor.last), other.blocks));
    const proof = await rewritten.proveRecord(other.oids[0] ?? '');
    await rewritten.close();
    expect(await codeOf(proofsOver(channelOf()).check(hintOf(proof, 1), encodeRecordProof(proof)))).toBe(
      'data-abnormal',
    );
  });

  test('is not there yet while the channel has no such anchor, and none over its block', async () => {
    const proof = await prove(own[0] ?? '');
    const behind = channelOf({ get: () => undefined, list: () => ({ v: 1, items: [], next: null }) });
    expect(await codeOf(proofsOver(behind).check(hintOf(proof, 1), encodeRecordProof(proof)))).toBe('unavailable');
  });

  test('that the audit rejected is no answer', async () => {
    const proof = await prove(own[2] ?? '');
    expect(proof.rejected).toHaveLength(1);
    expect(await codeOf(proofsOver(channelOf()).check(hintOf(proof, 1), encodeRecordProof(proof)))).toBe(
      'data-abnormal',
    );
  });

  test('the hint has to say what the proof shows', async () => {
    const proof = await prove(own[0] ?? '');
    const hint = hintOf(proof, 1);
    const proofs = proofsOver(channelOf());
    const wrong: Partial<Hint>[] = [
      { leafIndex: 1 },
      { cid: hintOf(await prove(own[1] ?? ''), 1).cid },
      { evidenceId: `${msp}/outlet-1/2` },
      { evidenceId: `${msp}/outlet-2/1` },
      { evidenceId: 'OtherMSP/outlet-1/1' },
      { recordOid: Buffer.from(own[1] ?? '', 'hex') },
    ];
    for (const change of wrong)
      expect(await codeOf(proofs.check({ ...hint, ...change }, encodeRecordProof(proof)))).toBe('data-abnormal');
  });

  test('has an outlet behind it that the reader trusts', async () => {
    const proof = await prove(own[0] ?? '');
    const untrusting: TrustedReaderParts['verifierOf'][] = [
      () => undefined,
      () => ({ verify: () => ({ enrolmentId: 'outlet-2' }) as never }),
      () => ({
        verify: () => {
          throw new Refusal('certificate-untrusted', 'nobody knows it');
        },
      }),
    ];
    for (const verifierOf of untrusting) {
      const proofs = proofsOver(channelOf(), { verifierOf });
      expect(await codeOf(proofs.check(hintOf(proof, 1), encodeRecordProof(proof)))).toBe('data-abnormal');
    }
  });
});

describe('a record that no anchor covers yet', () => {
  test('is confirmed by the members that the channel knows', async () => {
    const proof = await prove(late[0] ?? '');
    expect(proof.standing.kind).toBe('seals');
    const functions = channelOf();
    const proofs = proofsOver(functions);
    const proven = await proofs.check(hintOf(proof, 2), encodeRecordProof(proof));
    expect(proven).toMatchObject({ state: 'confirmed', anchor: null });
    const before = functions.calls.length;
    await proofs.check(hintOf(proof, 2), encodeRecordProof(proof));
    expect(functions.calls.slice(before)).toEqual(expect.arrayContaining(['list']));
    expect(functions.calls.slice(before)).not.toContain('certificate');
  });

  test('with any byte of its proof altered is data-abnormal', async () => {
    const proof = await prove(late[0] ?? '');
    const bytes = encodeRecordProof(proof);
    const proofs = proofsOver(channelOf());
    const codes = new Map<string, number>();
    for (let at = 0; at < bytes.length; at += 11) {
      const altered = Uint8Array.from(bytes);
      altered[at] = (altered[at] ?? 0) ^ (1 << (at % 8));
      const code = await codeOf(proofs.check(hintOf(proof, 2), altered));
      codes.set(code, at);
    }
    expect([...codes.keys()]).toEqual(['data-abnormal']);
  });

  test('members that the channel does not know confirm nothing', async () => {
    const proof = await prove(late[0] ?? '');
    for (const change of [
      { certificate: () => undefined },
      { configuration: (_msp, epoch) => (epoch === '1' ? { v: 1, msp, height: 0, ...ledger.first, members: ['a', 'b', 'c', 'd'] } : undefined) }, // prettier-ignore
    ] as Channel[])
      expect(await codeOf(proofsOver(channelOf(change)).check(hintOf(proof, 2), encodeRecordProof(proof)))).toBe(
        'data-abnormal',
      );
  });

  test('while the members change, its anchor is waited for', async () => {
    const proof = await prove(late[0] ?? '');
    const changing: Channel = {
      configuration: (_msp, epoch) => ({ v: 1, msp, ...ledger.first, epoch: Number(epoch), height: Number(epoch) - 1 }),
    };
    const none: Channel = { configuration: () => undefined };
    for (const change of [changing, none])
      expect(await codeOf(proofsOver(channelOf(change)).check(hintOf(proof, 2), encodeRecordProof(proof)))).toBe(
        'unavailable',
      );
  });

  test('is asked for again when the channel has overtaken who answered, and is data-abnormal when that has another block', async () => {
    const confirmed = await prove(own[0] ?? '');
    const seals = ledger.confirmation(anchor.last) ?? [];
    const overtaken = encodeRecordProof({ ...confirmed, standing: { kind: 'seals', seals } });
    const functions = channelOf();
    const proofs = proofsOver(functions);
    const given = [overtaken, overtaken, encodeRecordProof(confirmed)];
    const next = (): Promise<Uint8Array> => Promise.resolve(given.shift() ?? new Uint8Array());
    expect(await proofs.check(hintOf(confirmed, 1), next)).toMatchObject({ state: 'anchored' });
    expect(given).toHaveLength(0);
    expect(await codeOf(proofs.check(hintOf(confirmed, 1), overtaken))).toBe('unavailable');
    const hash = storedAnchor(other.anchorOf(1, anchor.last), other.blocks).hash;
    const forked = channelOf({ list: () => ({ v: 1, items: [{ v: 1, msp, ...anchor, hash }], next: null }) });
    expect(await codeOf(proofsOver(forked).check(hintOf(confirmed, 1), overtaken))).toBe('data-abnormal');
  });
});

test('the bodies of anchored blocks are named before their envelopes are read, once each; whether they come does not matter', async () => {
  const named: string[] = [];
  const asked: string[] = [];
  const away = new Refusal('unavailable', 'away');
  const reader = createTrustedReader({
    ...partsOver(channelOf()),
    content: {
      get(cid) {
        asked.push(cid.toString());
        return Promise.reject(away);
      },
    },
    readAhead(body) {
      expect(asked).toEqual([]);
      named.push(body.toString());
      return Promise.reject(away);
    },
  });
  const proofs = await Promise.all([own[0], own[1], own[3]].map((oid) => prove(oid ?? '')));
  const hints = proofs.map((proof) => ({ hint: { ...hintOf(proof, 1), proof: encodeRecordProof(proof) } }));
  expect(await reader.readMany(hints)).toEqual(hints.map(() => ({ error: away })));
  expect(named).toEqual([chain.header(anchor.last)?.body]);
  expect(asked).toEqual(hints.map(({ hint }) => hint.cid));
});
