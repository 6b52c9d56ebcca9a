import { msp } from '@hyperledger/fabric-protos';
import { createOrganisationCa, type OrganisationCa } from '../../src/ca/index.ts';
import { createCertificate, generateKeyPair, privateKeyToPem, type Issuer } from '../../src/ca/certificate.ts';
import {
  buildMspConfig,
  createMspRegistry,
  createSigningIdentity,
  serializeIdentity,
  type NodeRole,
} from '../../src/msp/index.ts';
import { thrownCode } from '../support/error-code.ts';
import { issueIdentity } from '../support/test-channel.ts';
import { normaliseLowS, lowSFromDer } from '../../src/asn1/ecdsa-signature.ts';
import { derSequence, derUnsignedInteger } from '../../src/asn1/der.ts';

const DAY_MS = 86_400_000;
let ca: OrganisationCa;
let other: OrganisationCa;

beforeAll(async () => {
  [ca, other] = await Promise.all([
    createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' }),
    createOrganisationCa({ mspId: 'Org2MSP', domain: 'org2.example.com' }),
  ]);
});

function registryOf(crlsPem: readonly string[] = []) {
  return createMspRegistry([
    buildMspConfig({
      mspId: 'Org1MSP',
      rootCertsPem: [ca.rootCertPem],
      tlsRootCertsPem: [ca.tlsRootCertPem],
      crlsPem,
    }),
  ]);
}

test.each<NodeRole>(['client', 'peer', 'admin', 'orderer'])(
  'an identity has the role of its NodeOU: %s',
  async (role) => {
    const { serialized } = await issueIdentity(ca, 'somebody', role);
    const identity = registryOf().deserialize(serialized);
    expect(identity).toMatchObject({ mspId: 'Org1MSP', role, commonName: 'somebody', isAdmin: role === 'admin' });
  },
);

test('the same bytes give the same identity object', async () => {
  const { serialized } = await issueIdentity(ca, 'somebody', 'client');
  const registry = registryOf();
  expect(registry.deserialize(serialized)).toBe(registry.deserialize(Uint8Array.from(serialized)));
});

test('a signature by the key verifies, over other bytes or by another key it does not', async () => {
  const signer = await issueIdentity(ca, 'one', 'client');
  const stranger = await issueIdentity(ca, 'two', 'client');
  const identity = registryOf().deserialize(signer.serialized);
  const message = Buffer.from('message');
  const signature = signer.sign(message);
  expect(identity.verify(message, signature)).toBe(true);
  expect(identity.verify(message, signature)).toBe(true);
  expect(identity.verify(Buffer.from('messagf'), signature)).toBe(false);
  expect(identity.verify(message, stranger.sign(message))).toBe(false);
  expect(identity.verify(message, new Uint8Array())).toBe(false);
});

test('a high-S signature is refused', async () => {
  const signer = await issueIdentity(ca, 'one', 'client');
  const message = Buffer.from('message');
  const rs = normaliseLowS(lowSFromDer(signer.sign(message)) ?? Buffer.alloc(64));
  const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
  const highS = (order - BigInt(`0x${rs.subarray(32).toString('hex')}`)).toString(16).padStart(64, '0');
  const der = derSequence(derUnsignedInteger(rs.subarray(0, 32)), derUnsignedInteger(Buffer.from(highS, 'hex')));
  expect(registryOf().deserialize(signer.serialized).verify(message, der)).toBe(false);
});

test('the right organisation name on a certificate of another CA does not help', async () => {
  const stranger = await issueIdentity(other, 'somebody', 'client');
  const claimed = serializeIdentity('Org1MSP', stranger.issued.certificatePem);
  expect(() => registryOf().deserialize(claimed)).toThrow('x509: certificate signed by unknown authority');
});

test('an organisation that is not of the channel is refused by name', async () => {
  const { serialized } = await issueIdentity(other, 'somebody', 'client');
  expect(() => registryOf().deserialize(serialized)).toThrow('MSP Org2MSP is not defined on channel');
});

test('an expired identity is still an identity: expiry is checked elsewhere, as in Fabric', async () => {
  const issued = await ca.issue({
    enrolmentId: 'late',
    role: 'client',
    notBefore: new Date(Date.now() - 2 * DAY_MS),
    notAfter: new Date(Date.now() - DAY_MS),
  });
  const identity = registryOf().deserialize(serializeIdentity('Org1MSP', issued.certificatePem));
  expect(identity.notAfterMs).toBeLessThan(Date.now());
});

test('a revoked identity is refused, others of the CA are not', async () => {
  const authority = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
  const [gone, staying] = await Promise.all([
    issueIdentity(authority, 'gone', 'client'),
    issueIdentity(authority, 'staying', 'client'),
  ]);
  authority.revoke(gone.issued.certificatePem);
  const crlPem = (await authority.crlPem()) ?? '';
  const registry = createMspRegistry([
    buildMspConfig({
      mspId: 'Org1MSP',
      rootCertsPem: [authority.rootCertPem],
      tlsRootCertsPem: [authority.tlsRootCertPem],
      crlsPem: [crlPem],
    }),
  ]);
  expect(() => registry.deserialize(gone.serialized)).toThrow('The certificate has been revoked');
  expect(registry.deserialize(staying.serialized).commonName).toBe('staying');
});

test("another CA's revocation list revokes nothing", async () => {
  const mine = await issueIdentity(ca, 'mine', 'client');
  const fake = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
  // The same names, another key: the list names the serial number but the signature is not the CA's.
  fake.revoke(mine.issued.certificatePem);
  expect(registryOf([(await fake.crlPem()) ?? '']).deserialize(mine.serialized).commonName).toBe('mine');
});

test('broken bytes are refused with a reason', () => {
  const registry = registryOf();
  expect(() => registry.deserialize(Buffer.of(0xff, 0xff))).toThrow('could not deserialize a SerializedIdentity');
  expect(() => registry.deserialize(serializeIdentity('Org1MSP', 'no certificate'))).toThrow(
    'could not decode the PEM structure',
  );
  expect(() =>
    registry.deserialize(
      serializeIdentity('Org1MSP', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
    ),
  ).toThrow('parseCertificate failed');
  expect(() => registry.deserialize(serializeIdentity('Org1MSP', ca.rootCertPem))).toThrow(
    'Certificate Authority equals true cannot be used as an identity',
  );
});

describe('certificates that Fabric CA would not make', () => {
  const subject = (units: readonly string[]) => [...units.map((OU) => ({ OU: [OU] })), { CN: ['odd'] }];
  const validity = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };

  async function rootIssuer(): Promise<Issuer & { pem: string }> {
    const keys = await generateKeyPair();
    const certificate = await createCertificate(
      {
        use: 'ca',
        subject: [{ CN: ['root'] }],
        publicKey: keys.publicKey,
        notBefore: new Date(Date.now() - 2 * DAY_MS),
        notAfter: new Date(Date.now() + DAY_MS),
      },
      { selfKey: keys.privateKey },
    );
    return { certificate, privateKey: keys.privateKey, pem: certificate.toString('pem') };
  }

  async function leafOf(issuer: Issuer, units: readonly string[]) {
    const keys = await generateKeyPair();
    const certificate = await createCertificate(
      { use: 'enrolment', subject: subject(units), publicKey: keys.publicKey, ...validity },
      issuer,
    );
    return { pem: certificate.toString('pem'), privateKeyPem: privateKeyToPem(keys.privateKey) };
  }

  test.each([
    [[], 'does not have an OU that resolves to client, peer, orderer, or admin role'],
    [['sales'], 'does not have an OU that resolves to client, peer, orderer, or admin role'],
    [['client', 'admin'], 'not a combination of them. OUs: [client admin], MSP: [Org1MSP]'],
  ])('units %j are refused', async (units, reason) => {
    const issuer = await rootIssuer();
    const registry = createMspRegistry([
      buildMspConfig({ mspId: 'Org1MSP', rootCertsPem: [issuer.pem], tlsRootCertsPem: [] }),
    ]);
    const leaf = await leafOf(issuer, units);
    expect(() => registry.deserialize(serializeIdentity('Org1MSP', leaf.pem))).toThrow(reason);
  });

  test('an intermediate CA may issue identities; its root then may not', async () => {
    const root = await rootIssuer();
    const keys = await generateKeyPair();
    const certificate = await createCertificate(
      { use: 'ca', subject: [{ CN: ['intermediate'] }], publicKey: keys.publicKey, ...validity },
      root,
    );
    const intermediate = { certificate, privateKey: keys.privateKey };
    const registry = createMspRegistry([
      buildMspConfig({
        mspId: 'Org1MSP',
        rootCertsPem: [root.pem],
        intermediateCertsPem: [certificate.toString('pem')],
        tlsRootCertsPem: [],
      }),
    ]);
    const below = await leafOf(intermediate, ['peer']);
    expect(registry.deserialize(serializeIdentity('Org1MSP', below.pem)).role).toBe('peer');
    const above = await leafOf(root, ['peer']);
    expect(() => registry.deserialize(serializeIdentity('Org1MSP', above.pem))).toThrow(
      'Parent certificate should be a leaf of the certification tree',
    );
  });

  test('an intermediate CA that is not listed is unknown', async () => {
    const root = await rootIssuer();
    const keys = await generateKeyPair();
    const certificate = await createCertificate(
      { use: 'ca', subject: [{ CN: ['rogue'] }], publicKey: keys.publicKey, ...validity },
      root,
    );
    const leaf = await leafOf({ certificate, privateKey: keys.privateKey }, ['admin']);
    const registry = createMspRegistry([
      buildMspConfig({ mspId: 'Org1MSP', rootCertsPem: [root.pem], tlsRootCertsPem: [] }),
    ]);
    expect(() => registry.deserialize(serializeIdentity('Org1MSP', leaf.pem))).toThrow('unknown authority');
  });

  test('a signer is not made of a key and a certificate that do not belong together', async () => {
    const root = await rootIssuer();
    const [one, two] = await Promise.all([leafOf(root, ['peer']), leafOf(root, ['peer'])]);
    expect(
      thrownCode(() =>
        createSigningIdentity({ mspId: 'Org1MSP', certificatePem: one.pem, privateKeyPem: two.privateKeyPem }),
      ),
    ).toBe('MSP_INVALID');
  });
});

test('definitions that Fabric would refuse are refused', () => {
  const refused = (change: (config: msp.FabricMSPConfig) => void, code: string, type = 0) => {
    const built = buildMspConfig({ mspId: 'Org1MSP', rootCertsPem: [ca.rootCertPem], tlsRootCertsPem: [] });
    const fabric = msp.FabricMSPConfig.deserializeBinary(built.getConfig_asU8());
    change(fabric);
    built.setConfig(fabric.serializeBinary());
    built.setType(type);
    expect(thrownCode(() => createMspRegistry([built]))).toBe(code);
  };
  refused((config) => config.setRootCertsList([]), 'MSP_INVALID');
  refused((config) => config.setRootCertsList([Buffer.from('junk')]), 'MSP_INVALID');
  refused((config) => config.setRevocationListList([Buffer.from('junk')]), 'MSP_INVALID');
  refused((config) => config.setFabricNodeOus(undefined), 'MSP_INVALID');
  refused(() => undefined, 'UNSUPPORTED', 1);
});
