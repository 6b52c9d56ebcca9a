import { msp } from '@hyperledger/fabric-protos';
import { createOrganisationCa } from '../../src/ca/index.ts';
import { consensusOf, parseConfig, parseConfigBlock, publishRevocationList } from '../../src/config/index.ts';
import { DevnetError } from '../../src/errors.ts';
import { createTestChannel, type TestChannel } from '../support/test-channel.ts';
import { thrownCode } from '../support/error-code.ts';

let channel: TestChannel;
beforeAll(async () => {
  channel = await createTestChannel();
});

test("a CA's list takes the place of its older one, and its organisation's MSP refuses whom it names", async () => {
  const { ca, client, peer } = channel.org1;
  const { config, channelId } = parseConfigBlock(channel.genesisBlock);
  const changed = config.clone();
  const pemOf = (serialized: Uint8Array) =>
    Buffer.from(msp.SerializedIdentity.deserializeBinary(serialized).getIdBytes_asU8()).toString();
  for (const identity of [client, peer]) {
    ca.revoke(pemOf(identity.serialized));
    publishRevocationList('Org1MSP', (await ca.crlPem()) ?? '')(changed);
  }
  const { msps, applicationOrganisations } = parseConfig(channelId, changed);
  const org1 = applicationOrganisations.find(({ mspId }) => mspId === 'Org1MSP');
  expect(org1?.mspConfig.getRevocationListList()).toHaveLength(1);
  for (const { serialized } of [client, peer]) expect(() => msps.deserialize(serialized)).toThrow('has been revoked');
  expect(() => msps.deserialize(channel.org1.admin.serialized)).not.toThrow();
});

test('a list of another CA, or no list, is refused', async () => {
  const { config } = parseConfigBlock(channel.genesisBlock);
  const stranger = await createOrganisationCa({ mspId: 'Org9MSP', domain: 'org9.example.com' });
  stranger.revokeSerialNumber('01');
  const crl = (await stranger.crlPem()) ?? '';
  const publish = (mspId: string, pem: string) => () => {
    publishRevocationList(mspId, pem)(config.clone());
  };
  expect(thrownCode(publish('Org1MSP', crl))).toBe('MSP_INVALID');
  expect(thrownCode(publish('Org1MSP', 'nothing'))).toBe('MSP_INVALID');
  expect(publish('Org9MSP', crl)).toThrow(DevnetError);
});

test('how a channel is ordered can be read from it', () => {
  const { config } = parseConfigBlock(channel.genesisBlock);
  expect(consensusOf(config)).toEqual({ type: 'raft', consenters: [{ host: 'localhost', port: 7050 }] });
});
