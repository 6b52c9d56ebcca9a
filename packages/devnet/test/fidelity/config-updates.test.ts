import { common, msp, orderer } from '@hyperledger/fabric-protos';
import { createOrganisationCa } from '../../src/ca/index.ts';
import { addOrganisation, changeBatchSize } from '../../src/config/index.ts';
import { computeUpdate } from '../../src/config/compute-update.ts';
import { signUpdate } from '../../src/config/sign-update.ts';
import { createSigningIdentity, type SigningIdentity } from '../../src/msp/index.ts';
import { definitionOf } from '../support/test-channel.ts';
import { compareCall, compareProposal, stableText, type Comparable } from './harness/comparable.ts';
import { describeFidelity } from './harness/describe-fidelity.ts';
import type { Answer } from './harness/fabric-node.ts';
import { buildProposal } from './harness/proposal-parts.ts';
import { until } from './harness/twin.ts';

const CHANNEL = 'mychannel';
const JUNK = Buffer.from('ffffffff', 'hex');

interface Attempt {
  /** What is to be other in the configuration. */
  readonly change?: (config: common.Config) => void;
  /** Spoils the computed update. */
  readonly update?: (update: common.ConfigUpdate) => void;
  readonly signers?: readonly Signer[];
  readonly content?: (envelope: common.ConfigUpdateEnvelope) => void;
  readonly payload?: (payload: common.Payload) => void;
}
type Signer = 'admin' | 'otherAdmin' | 'ordererAdmin' | 'user';

const batchSize = changeBatchSize({ maxMessageCount: 11 });
const application = (config: common.Config) => groupOf(config.getChannelGroup(), 'Application');
const groupOf = (group: common.ConfigGroup | undefined, name: string): common.ConfigGroup => {
  const found = group?.getGroupsMap().get(name);
  if (found === undefined) throw new Error(`no group ${name}`);
  return found;
};
const valueOf = (group: common.ConfigGroup, name: string): common.ConfigValue => {
  const found = group.getValuesMap().get(name);
  if (found === undefined) throw new Error(`no value ${name}`);
  return found;
};
const ordererOf = (update: common.ConfigUpdate) => groupOf(update.getWriteSet(), 'Orderer');

/** Updates that Fabric's orderer refuses, or takes apart and then refuses. */
const REFUSED: Readonly<Record<string, Attempt>> = {
  'without the admin of the orderer': { change: batchSize, signers: ['admin', 'otherAdmin'] },
  'by a user': { change: batchSize, signers: ['user'] },
  'by nobody but the sender': { change: batchSize, content: (envelope) => envelope.clearSignaturesList() },
  'by one of two organisations': {
    change: (config) => application(config).getPoliciesMap().del('LifecycleEndorsement'),
    signers: ['admin'],
  },
  'by the other organisation': {
    change: (config) => groupOf(application(config), 'Org1MSP').getValuesMap().del('AnchorPeers'),
    signers: ['otherAdmin'],
  },
  'with a signature that is none': {
    change: batchSize,
    content: (envelope) => envelope.getSignaturesList().forEach((signature) => signature.setSignature(JUNK)),
  },
  'with a signature header that is no message': {
    change: batchSize,
    content: (envelope) => envelope.getSignaturesList()[0]?.setSignatureHeader(JUNK),
  },
  'that is no message': { change: batchSize, content: (envelope) => envelope.setConfigUpdate(JUNK) },
  'in an envelope that is no message': { change: batchSize, payload: (payload) => payload.setData(JUNK) },
  'without anything': { change: batchSize, payload: (payload) => payload.setData('') },
  'that changes nothing': { change: batchSize, update: (update) => update.clearWriteSet() },
  'of another channel': { change: batchSize, update: (update) => update.setChannelId('other') },
  'of no channel': { change: batchSize, update: (update) => update.setChannelId('') },
  'that read another version': {
    change: batchSize,
    update: (update) => groupOf(update.getReadSet(), 'Orderer').setVersion(5),
  },
  'that read what is not there': {
    change: batchSize,
    update: (update) => update.getReadSet()?.getGroupsMap().set('Nothing', new common.ConfigGroup()),
  },
  'that skips a version': {
    change: batchSize,
    update: (update) => valueOf(ordererOf(update), 'BatchSize').setVersion(2),
  },
  'that adds something with a version': {
    change: batchSize,
    update: (update) => {
      const value = new common.ConfigValue();
      value.setVersion(3);
      value.setModPolicy('Admins');
      ordererOf(update).getValuesMap().set('Extra', value);
      ordererOf(update).getValuesMap().del('BatchSize');
    },
  },
  'without a modification policy': {
    change: batchSize,
    update: (update) => valueOf(ordererOf(update), 'BatchSize').setModPolicy(''),
  },
  'with a modification policy of a strange name': {
    change: batchSize,
    update: (update) => valueOf(ordererOf(update), 'BatchSize').setModPolicy('/Channel/Ad mins'),
  },
  'with an empty part in the modification policy': {
    change: batchSize,
    update: (update) => valueOf(ordererOf(update), 'BatchSize').setModPolicy('Orderer//Admins'),
  },
  'with a strange name': {
    change: batchSize,
    update: (update) => update.getWriteSet()?.getGroupsMap().set('No such name', new common.ConfigGroup()),
  },
  'with the name of a parent folder': {
    change: batchSize,
    update: (update) => update.getReadSet()?.getGroupsMap().set('..', new common.ConfigGroup()),
  },
  'with a name that is too long': {
    change: batchSize,
    update: (update) => update.getWriteSet()?.getGroupsMap().set('x'.repeat(250), new common.ConfigGroup()),
  },
  'that writes what its group does not have': {
    change: batchSize,
    update: (update) => {
      const value = new common.ConfigValue();
      value.setModPolicy('Admins');
      ordererOf(update).getValuesMap().set('Extra', value);
    },
  },
  'of another MSP id': {
    change: (config) => {
      const value = valueOf(groupOf(application(config), 'Org2MSP'), 'MSP');
      const outer = msp.MSPConfig.deserializeBinary(value.getValue_asU8());
      const inner = msp.FabricMSPConfig.deserializeBinary(outer.getConfig_asU8());
      inner.setName('RenamedMSP');
      outer.setConfig(inner.serializeBinary());
      value.setValue(outer.serializeBinary());
    },
  },
};

describeFidelity(
  'configurations are updated as on Fabric',
  { recording: 'config-updates', devnet: { chaincodes: [{ name: 'assets', address: '127.0.0.1:1' }] } },
  (fidelity) => {
    let accepted = 0;
    const signerOf = (signer: Signer): SigningIdentity => fidelity().twin.identities[signer];
    const current = async (): Promise<common.Config> => {
      const blocks = await fidelity().twin.orderers.devnet.blocks(signerOf('user'), CHANNEL);
      const configs = blocks.flatMap((block) => configOf(block) ?? []);
      const newest = configs.at(-1);
      if (newest === undefined) throw new Error('no configuration');
      return newest;
    };
    const build = async ({ change, update, signers, content, payload }: Attempt): Promise<Uint8Array> => {
      // What was accepted is in a block a little later.
      await until(async () => (await current()).getSequence() === accepted);
      const original = await current();
      const changed = original.clone();
      change?.(changed);
      const computed = computeUpdate(
        CHANNEL,
        original.getChannelGroup() ?? new common.ConfigGroup(),
        changed.getChannelGroup() ?? new common.ConfigGroup(),
      );
      if (computed === undefined) throw new Error('nothing changes');
      update?.(computed);
      const by = (signers ?? ['admin', 'otherAdmin', 'ordererAdmin']).map(signerOf);
      const envelope = signUpdate(computed, by, Date.now());
      const opened = common.Payload.deserializeBinary(envelope.getPayload_asU8());
      const inner = common.ConfigUpdateEnvelope.deserializeBinary(opened.getData_asU8());
      content?.(inner);
      opened.setData(inner.serializeBinary());
      payload?.(opened);
      envelope.setPayload(opened.serializeBinary());
      const [sender] = by;
      envelope.setSignature(sender?.sign(envelope.getPayload_asU8()) ?? '');
      return envelope.serializeBinary();
    };
    const broadcast = (name: string, envelope: Uint8Array) =>
      fidelity().same(name, fidelity().twin.orderers, async (node) => {
        const answer = await node.stream('/orderer.AtomicBroadcast/Broadcast', [envelope], { noMore: true });
        const [response] = answersOf(answer);
        const isAccepted = response?.getStatus() === common.Status.SUCCESS;
        if (isAccepted && node === fidelity().twin.orderers.devnet) accepted++;
        return compareBroadcast(answer);
      });

    test.each(Object.keys(REFUSED))('%s', async (name) => {
      await broadcast(name, await build(REFUSED[name] ?? {}));
    });

    test('a right update is taken once; a peer of Fabric goes on with the new configuration', async () => {
      const { twin } = fidelity();
      const update = await build({ change: changeBatchSize({ maxMessageCount: 13 }) });
      await broadcast('a right update', update);
      await until(async () => (await current()).getSequence() === 2);
      await twin.ordered();
      await broadcast('the same update again', update);
      const group = await build({
        change: addOrganisation(
          definitionOf(await createOrganisationCa({ mspId: 'Org3MSP', domain: 'org3.example.com' })),
        ),
      });
      await broadcast('a new organisation', group);
      await until(async () => (await current()).getSequence() === 3);
      await twin.level();
      const config = await current();
      const size = orderer.BatchSize.deserializeBinary(
        valueOf(groupOf(config.getChannelGroup(), 'Orderer'), 'BatchSize').getValue_asU8(),
      );
      expect(size.getMaxMessageCount()).toBe(13);
      expect([...application(config).getGroupsMap().keys()].sort()).toEqual(['Org1MSP', 'Org2MSP', 'Org3MSP']);
    });

    test('what devnet changes by itself is a configuration to Fabric; who is revoked is refused in the same words', async () => {
      const { twin } = fidelity();
      await twin.devnet.updateConfig(changeBatchSize({ maxMessageCount: 12 }));
      const org1 = twin.devnet.organisation('Org1MSP');
      const issued = await org1.enrol({ enrolmentId: 'leaving', role: 'client' });
      await org1.revoke(issued.certificatePem);
      await twin.level();
      const revoked = createSigningIdentity(issued);
      const question = { channelId: CHANNEL, chaincode: 'qscc', args: ['GetChainInfo', CHANNEL] };
      const refused = buildProposal(revoked, question);
      await fidelity().same('revoked', twin.peers, async (node) => compareProposal(await node.propose(refused)));
      const { user } = twin.identities;
      const query = { channelId: CHANNEL, chaincode: 'cscc', args: ['GetConfigBlock', CHANNEL] };
      const proposal = buildProposal(user, query);
      await fidelity().same('the configuration block', twin.peers, async (node) =>
        compareProposal(await node.propose(proposal)),
      );
    });
  },
);

function answersOf(answer: Answer): orderer.BroadcastResponse[] {
  return answer.responses.map((bytes) => orderer.BroadcastResponse.deserializeBinary(bytes));
}

function compareBroadcast(answer: Answer): Comparable {
  const answers = answersOf(answer).map((response) => `${response.getStatus()} ${stableText(response.getInfo())}`);
  return { stable: { ...(compareCall(answer).stable as object), answers } };
}

function configOf(block: common.Block): common.Config | undefined {
  const [envelope] = block.getData()?.getDataList_asU8() ?? [];
  const payload = common.Payload.deserializeBinary(
    common.Envelope.deserializeBinary(envelope ?? JUNK).getPayload_asU8(),
  );
  const header = common.ChannelHeader.deserializeBinary(payload.getHeader()?.getChannelHeader_asU8() ?? JUNK);
  return header.getType() === common.HeaderType.CONFIG
    ? common.ConfigEnvelope.deserializeBinary(payload.getData_asU8()).getConfig()
    : undefined;
}
