import { common, msp } from '@hyperledger/fabric-protos';
import type { Identity } from '../../src/msp/index.ts';
import {
  compileSignaturePolicy,
  createImplicitMetaPolicy,
  evaluateSignedData,
  parseImplicitMetaRule,
  parseSignaturePolicy,
  signaturePolicyFromString,
  validSigners,
  type Policy,
} from '../../src/policy/index.ts';
import { createMspRegistry } from '../../src/msp/index.ts';
import { createTestChannel, definitionOf, issueIdentity, type TestChannel } from '../support/test-channel.ts';
import { describeWithFabric, runFabric } from '../support/fabric-programs.ts';
import { thrownCode } from '../support/error-code.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary-folder.ts';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

let channel: TestChannel;
let identities: Record<'peer1' | 'peer2' | 'client1' | 'admin1' | 'otherPeer1', Identity>;
let registry: ReturnType<typeof createMspRegistry>;

beforeAll(async () => {
  channel = await createTestChannel();
  const { org1, org2 } = channel;
  registry = createMspRegistry([definitionOf(org1.ca).mspConfig, definitionOf(org2.ca).mspConfig]);
  const otherPeer = await issueIdentity(org1.ca, 'peer1', 'peer');
  identities = {
    peer1: registry.deserialize(org1.peer.serialized),
    peer2: registry.deserialize(org2.peer.serialized),
    client1: registry.deserialize(org1.client.serialized),
    admin1: registry.deserialize(org1.admin.serialized),
    otherPeer1: registry.deserialize(otherPeer.serialized),
  };
});
afterAll(removeTemporaryFolders);

const policyOf = (text: string) => compileSignaturePolicy(signaturePolicyFromString(text));

describe('signature policies', () => {
  test.each<[string, (keyof typeof identities)[], boolean]>([
    ["OR('Org1MSP.peer','Org2MSP.peer')", ['peer1'], true],
    ["OR('Org1MSP.peer','Org2MSP.peer')", ['client1'], false],
    ["OR('Org1MSP.member')", ['client1'], true],
    ["OR('Org1MSP.admin')", ['client1'], false],
    ["OR('Org1MSP.admin')", ['admin1'], true],
    ["AND('Org1MSP.peer','Org2MSP.peer')", ['peer1'], false],
    ["AND('Org1MSP.peer','Org2MSP.peer')", ['peer2', 'peer1'], true],
    ["AND('Org1MSP.peer','Org1MSP.peer')", ['peer1'], false],
    ["AND('Org1MSP.peer','Org1MSP.peer')", ['peer1', 'otherPeer1'], true],
    ["AND('Org1MSP.member','Org1MSP.admin')", ['admin1', 'client1'], false],
    ["AND('Org1MSP.admin','Org1MSP.member')", ['admin1', 'client1'], true],
    ["OutOf(2,'Org1MSP.peer','Org2MSP.peer','Org1MSP.client')", ['peer1', 'client1'], true],
    ["OutOf(2,'Org1MSP.peer','Org2MSP.peer','Org1MSP.client')", ['client1'], false],
    ["OutOf(0,'Org1MSP.peer')", [], true],
    ["AND('Org1MSP.peer', OR('Org2MSP.peer','Org1MSP.client'))", ['peer1', 'client1'], true],
    ["AND('Org1MSP.peer', OR('Org2MSP.peer','Org1MSP.client'))", ['peer2', 'client1'], false],
    ['and( "Org1MSP.peer" , or(\'Org2MSP.peer\') )', ['peer1', 'peer2'], true],
  ])('%s with %j is %s', (text, signers, expected) => {
    expect(policyOf(text).evaluate(signers.map((name) => identities[name]))).toBe(expected);
  });

  test('greedy without going back: the order of the rules matters, as in Fabric', () => {
    // 'member' takes the admin first, then no admin is left.
    expect(policyOf("AND('Org1MSP.member','Org1MSP.admin')").evaluate([identities.admin1, identities.client1])).toBe(
      false,
    );
    expect(policyOf("AND('Org1MSP.member','Org1MSP.admin')").evaluate([identities.client1, identities.admin1])).toBe(
      true,
    );
  });

  test.each([
    '',
    'OR',
    "'Org1MSP.peer'",
    'OR()',
    "OR('Org1MSP.king')",
    "OR('peer')",
    "OR('Org1MSP.peer'",
    "OR('Org1MSP.peer') x",
    "XOR('Org1MSP.peer')",
    "OutOf('Org1MSP.peer')",
    "OutOf(3,'Org1MSP.peer')",
    "Outof(1,'Org1MSP.peer')",
    "OR('Org1 MSP.peer')",
  ])('%j is no policy', (text) => {
    expect(thrownCode(() => signaturePolicyFromString(text))).toBe('POLICY_INVALID');
  });

  test('broken policy messages are refused', () => {
    const outOfRange = signaturePolicyFromString("OR('Org1MSP.peer')");
    outOfRange.setIdentitiesList([]);
    const version = signaturePolicyFromString("OR('Org1MSP.peer')");
    version.setVersion(1);
    const empty = new common.SignaturePolicyEnvelope();
    const nothing = new common.SignaturePolicyEnvelope();
    nothing.setRule(new common.SignaturePolicy());
    for (const envelope of [outOfRange, version, empty, nothing]) {
      expect(thrownCode(() => compileSignaturePolicy(envelope))).toBe('POLICY_INVALID');
    }
    expect(thrownCode(() => parseSignaturePolicy(Buffer.of(0xff)))).toBe('POLICY_INVALID');
  });

  test('principals by organisational unit and by certificate', () => {
    const single = (principal: msp.MSPPrincipal): Policy => {
      const envelope = new common.SignaturePolicyEnvelope();
      const rule = new common.SignaturePolicy();
      rule.setSignedBy(0);
      envelope.setRule(rule);
      envelope.setIdentitiesList([principal]);
      return compileSignaturePolicy(envelope);
    };
    const unit = new msp.OrganizationUnit();
    unit.setMspIdentifier('Org1MSP');
    unit.setOrganizationalUnitIdentifier('client');
    unit.setCertifiersIdentifier(identities.client1.certifiersIdentifier);
    const byUnit = new msp.MSPPrincipal();
    byUnit.setPrincipalClassification(msp.MSPPrincipal.Classification.ORGANIZATION_UNIT);
    byUnit.setPrincipal(unit.serializeBinary());
    expect(single(byUnit).evaluate([identities.client1])).toBe(true);
    expect(single(byUnit).evaluate([identities.peer1])).toBe(false);
    const byCertificate = new msp.MSPPrincipal();
    byCertificate.setPrincipalClassification(msp.MSPPrincipal.Classification.IDENTITY);
    byCertificate.setPrincipal(channel.org1.peer.serialized);
    expect(single(byCertificate).evaluate([identities.peer1])).toBe(true);
    expect(single(byCertificate).evaluate([identities.otherPeer1])).toBe(false);
  });
});

describe('implicit meta policies', () => {
  const { ANY, ALL, MAJORITY } = common.ImplicitMetaPolicy.Rule;
  const yes: Policy = { evaluate: () => true, whyNot: () => '' };
  const no: Policy = { evaluate: () => false, whyNot: () => 'no' };

  test.each([
    [ANY, [yes, no, no], true],
    [ANY, [no, no], false],
    [ALL, [yes, yes], true],
    [ALL, [yes, no], false],
    [MAJORITY, [yes, no], false],
    [MAJORITY, [yes, yes], true],
    [MAJORITY, [yes, yes, no], true],
    [MAJORITY, [yes, no, no], false],
    [MAJORITY, [], true],
    [ANY, [], true],
  ])('rule %s over %j', (rule, subPolicies, expected) => {
    expect(createImplicitMetaPolicy(rule, subPolicies).evaluate([])).toBe(expected);
  });

  test('rules are read from text', () => {
    expect(parseImplicitMetaRule('MAJORITY Endorsement').toObject()).toEqual({
      rule: MAJORITY,
      subPolicy: 'Endorsement',
    });
    for (const text of ['', 'SOME Readers', 'ANY', 'ANY two words']) {
      expect(thrownCode(() => parseImplicitMetaRule(text))).toBe('POLICY_INVALID');
    }
  });
});

describe('signed data', () => {
  const data = Buffer.from('data');

  test('one identity counts once, wrong signatures and strangers do not count', async () => {
    const { org1, org2 } = channel;
    const stranger = await createTestChannel();
    const signed = (signer: { serialized: Uint8Array; sign(message: Uint8Array): Uint8Array }, message = data) => ({
      data,
      identity: signer.serialized,
      signature: signer.sign(message),
    });
    const signatures = [
      signed(org1.peer),
      signed(org1.peer),
      signed(org2.peer, Buffer.from('other')),
      signed(stranger.org2.peer),
      { data, identity: Buffer.of(1), signature: Buffer.of(1) },
    ];
    expect(validSigners(signatures, registry).map(({ mspId }) => mspId)).toEqual(['Org1MSP']);
    expect(evaluateSignedData(policyOf("AND('Org1MSP.peer','Org1MSP.peer')"), signatures, registry)).toBe(false);
    expect(evaluateSignedData(policyOf("OR('Org2MSP.peer')"), signatures, registry)).toBe(false);
    // A wrong signature does not keep the right one of the same identity from counting.
    const second = [signed(org2.peer, Buffer.from('other')), signed(org2.peer)];
    expect(evaluateSignedData(policyOf("OR('Org2MSP.peer')"), second, registry)).toBe(true);
  });
});

describeWithFabric("Fabric's policy compiler", ['configtxgen'], () => {
  test.each([
    "OR('Org1MSP.peer')",
    "AND('Org1MSP.admin', OR('Org2MSP.peer', 'Org2MSP.client'), 'Org1MSP.member')",
    "OutOf(2, 'Org1MSP.orderer', AND('Org2MSP.peer', 'Org1MSP.peer'), OutOf(1, 'Org2MSP.member', OR('Org1MSP.client')))",
  ])('makes the same bytes of %s', async (rule) => {
    const dir = await temporaryFolder();
    await channel.org1.ca.writeMspFolder(join(dir, 'msp'));
    const policy = `{Type: Signature, Rule: "${rule}"}`;
    await writeFile(
      join(dir, 'configtx.yaml'),
      `Organizations:
  - {Name: Org1MSP, ID: Org1MSP, MSPDir: "${join(dir, 'msp')}", Policies: {Readers: ${policy}, Writers: ${policy}, Admins: ${policy}}}
`,
    );
    const printed = JSON.parse(await runFabric('configtxgen', ['-printOrg', 'Org1MSP', '-configPath', dir])) as {
      policies: { Readers: { policy: { value: object } } };
    };
    await writeFile(join(dir, 'policy.json'), JSON.stringify(printed.policies.Readers.policy.value));
    const encoded = join(dir, 'policy.pb');
    const type = 'common.SignaturePolicyEnvelope';
    await runFabric('configtxlator', [
      'proto_encode',
      '--type',
      type,
      '--input',
      join(dir, 'policy.json'),
      '--output',
      encoded,
    ]);
    const { readFile } = await import('node:fs/promises');
    expect(Buffer.from(signaturePolicyFromString(rule).serializeBinary())).toEqual(await readFile(encoded));
  });
});
