import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type CoseSigner, sha256, toHex } from '@waymark/protocol';
import {
  ackStatement,
  createCoseKeys,
  createCrypto,
  type Crypto,
  isConfirmedBySeals,
  noBlock,
  sealProblem,
  verifyEquivocation,
} from '../../src/index.ts';
import { sealEvidence } from '../../src/evidence.ts';
import { sealStatement } from '../../src/block/header.ts';
import { createCluster, standard } from '../support/cluster.ts';

interface Identity extends CoseSigner {
  readonly publicKey: KeyObject;
}

function identity(name: string): Identity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    publicKey,
    certificateDer: Buffer.from(`certificate of ${name}`),
    sign: (message) => sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  };
}

const identities = new Map([...standard, 'z'].map((name) => [name, identity(name)]));
const publicKeyOf = (member: string, digest: Uint8Array): KeyObject | null => {
  const known = identities.get(member);
  return known !== undefined && toHex(sha256(known.certificateDer)) === toHex(digest) ? known.publicKey : null;
};

function cryptoOf(name: string, channel = 'channel'): Crypto {
  const signer = identities.get(name);
  if (signer === undefined) throw new Error(name);
  return createCrypto({
    bodyId: ({ root }) => `bafkrei${'a'.repeat(51)}${root === '' ? 'i' : 'a'}`,
    ...createCoseKeys({ channel, signer, publicKeyOf }),
  });
}

describe('a ledger with COSE signatures over real keys', () => {
  const cluster = createCluster({ crypto: cryptoOf });
  cluster.elect('a');
  cluster.submit('b', 'x');
  cluster.settle();
  const core = cluster.member('c').core;
  const judge = cryptoOf('z');
  const seals = core.confirmation(1);

  test('confirms blocks, and outsiders verify their seals', () => {
    expect(seals).not.toBeNull();
    expect(isConfirmedBySeals(judge, 'firm/channel', [cluster.configuration], seals ?? [])).toBe(true);
    expect(cluster.member('a').core.election()?.center).toBe('a');
    expect(core.election()).toBeNull();
  });

  test('has no valid seal on another channel', () => {
    const [seal] = seals ?? [];
    if (seal === undefined) throw new Error('no seal');
    expect(sealProblem(judge, seal, [cluster.configuration], {})).toBeNull();
    expect(sealProblem(cryptoOf('z', 'other'), seal, [cluster.configuration], {})).toBe('seal-signature-invalid');
  });

  test('shows a center that signed two headers', () => {
    const [seal] = seals ?? [];
    if (seal === undefined) throw new Error('no seal');
    const liar = cryptoOf('a');
    const header = { ...seal.header, timestampMs: seal.header.timestampMs + 1 };
    const twin = { header, hash: liar.headerHash(header), center: 'a' };
    const second = sealEvidence({ ...twin, certificate: [], signature: liar.sign(sealStatement(twin)) });
    expect(verifyEquivocation(judge, { center: 'a', first: sealEvidence(seal), second })).toBe(true);
  });
});

test('what is not a signature of this member over this statement is none, whatever its form', () => {
  const own = cryptoOf('a');
  const statement = ackStatement({
    ledger: 'firm/channel',
    epoch: 1,
    height: 1,
    term: 1,
    prev: noBlock,
    root: '00'.repeat(32),
    count: 0,
    ackTimeMs: 1,
  });
  const signature = own.sign(statement);
  expect(own.verify('a', statement, signature)).toBe(true);
  expect(own.verify('b', statement, signature)).toBe(false);
  expect(own.verify('nobody', statement, signature)).toBe(false);
  expect(own.verify('a', [...statement, 0], signature)).toBe(false);
  for (const broken of ['', 'x', `${signature}=`, `${signature} `, signature.slice(4), `${signature}AAAA`])
    expect(own.verify('a', statement, broken)).toBe(false);
});
