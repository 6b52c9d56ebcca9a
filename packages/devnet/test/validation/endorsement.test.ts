import { peer } from '@hyperledger/fabric-protos';
import {
  channelPolicyReference,
  signaturePolicy,
  LIFECYCLE_NAMESPACE,
} from '../../src/lifecycle/chaincode-definition.ts';
import { signaturePolicyFromString } from '../../src/policy/index.ts';
import { createDefinitionTransaction, endorse } from '../support/test-transaction.ts';
import { TestChain } from '../support/test-chain.ts';
import { issueIdentity } from '../support/test-channel.ts';
import { removeTemporaryFolders } from '../support/temporary-folder.ts';

const { VALID, ENDORSEMENT_POLICY_FAILURE, MVCC_READ_CONFLICT, INVALID_CHAINCODE } = peer.TxValidationCode;

let chain: TestChain;
beforeEach(async () => {
  chain = await TestChain.create();
});
afterEach(async () => {
  await chain.ledger.close();
});
afterAll(removeTemporaryFolders);

const keyPolicy = (rule: string) =>
  new Map([['VALIDATION_PARAMETER', signaturePolicyFromString(rule).serializeBinary()]]);

/** Sets the policy of a key; the key gets a value in the same transaction. */
const createWithPolicy = (key: string, rule: string) =>
  chain.transaction((set) => {
    set.addWrite('basic', key, Buffer.from('v'));
    set.addMetadataWrite('basic', key, keyPolicy(rule));
  });

describe('the policy of the chaincode', () => {
  test('needs a majority of the organisations by their peers', async () => {
    const { org1, org2 } = chain.channel;
    const otherPeer = await issueIdentity(org1.ca, 'peer1', 'peer');
    expect(
      await chain.commit(
        chain.write('a', '1', { endorsers: [org1.peer, org2.peer] }),
        chain.write('b', '1', { endorsers: [org2.peer, org1.peer] }),
        chain.write('c', '1', { endorsers: [org1.peer] }),
        chain.write('d', '1', { endorsers: [org1.peer, org1.peer] }),
        chain.write('e', '1', { endorsers: [org1.peer, otherPeer] }),
        chain.write('f', '1', { endorsers: [org1.peer, org2.client] }),
        chain.write('g', '1', { endorsers: [] }),
        chain.write('h', '1', { endorsers: [org1.peer, otherPeer, org2.peer] }),
      ),
    ).toEqual([
      VALID,
      VALID,
      ENDORSEMENT_POLICY_FAILURE,
      ENDORSEMENT_POLICY_FAILURE,
      ENDORSEMENT_POLICY_FAILURE,
      ENDORSEMENT_POLICY_FAILURE,
      ENDORSEMENT_POLICY_FAILURE,
      VALID,
    ]);
  });

  test('is checked also when nothing is written', async () => {
    expect(await chain.commit(chain.transaction(undefined, { endorsers: [] }))).toEqual([ENDORSEMENT_POLICY_FAILURE]);
  });

  test('counts only signatures over this response', async () => {
    const { org1, org2 } = chain.channel;
    const spoil = {
      endorsements: ([first]: peer.Endorsement[]) =>
        [first, endorse(org2.peer, Buffer.from('another response'))].filter((e) => e !== undefined),
    };
    expect(await chain.commit(chain.write('a', '1', { endorsers: [org1.peer], spoil }))).toEqual([
      ENDORSEMENT_POLICY_FAILURE,
    ]);
  });

  test('may be its own signature policy, and change with a new sequence of the definition', async () => {
    const { org1 } = chain.channel;
    const byOne = signaturePolicy(signaturePolicyFromString("OR('Org1MSP.peer','Org2MSP.peer')"));
    const definition = createDefinitionTransaction(
      chain.channel,
      { sequence: 2, endorsementPolicy: byOne },
      { blockNumber: 1n, txNumber: 0n },
    );
    expect(await chain.commit(definition)).toEqual([VALID]);
    // In flight during the change: it read the old sequence.
    expect(await chain.commit(chain.write('a', '1', { endorsers: [org1.peer] }))).toEqual([MVCC_READ_CONFLICT]);
    const current = chain.transaction(undefined, {
      endorsers: [org1.peer],
      simulate: (set) => {
        set.addWrite('basic', 'a', Buffer.from('1'));
      },
    });
    expect(await chain.commit(current)).toEqual([VALID]);
    await chain.reopen();
    expect(await chain.commit(chain.write('b', '1', { endorsers: [] }))).toEqual([ENDORSEMENT_POLICY_FAILURE]);
  });

  test('that names an unknown policy of the channel is satisfied by nobody', async () => {
    const definition = createDefinitionTransaction(chain.channel, {
      name: 'strict',
      endorsementPolicy: channelPolicyReference('/Channel/Application/Nobody'),
    });
    expect(await chain.commit(definition)).toEqual([VALID]);
    expect(await chain.commit(chain.transaction(undefined, { chaincode: 'strict' }))).toEqual([
      ENDORSEMENT_POLICY_FAILURE,
    ]);
  });

  test('an empty one makes the chaincode unusable', async () => {
    const definition = createDefinitionTransaction(chain.channel, {
      name: 'void',
      endorsementPolicy: new peer.ApplicationPolicy(),
    });
    expect(await chain.commit(definition)).toEqual([VALID]);
    expect(await chain.commit(chain.transaction(undefined, { chaincode: 'void' }))).toEqual([INVALID_CHAINCODE]);
  });

  test('every chaincode that is written to has its say', async () => {
    const { org1, org2 } = chain.channel;
    const policyOf = (rule: string) => signaturePolicy(signaturePolicyFromString(rule));
    await chain.commit(
      createDefinitionTransaction(chain.channel, { name: 'one', endorsementPolicy: policyOf("OR('Org1MSP.peer')") }),
      createDefinitionTransaction(chain.channel, { name: 'two', endorsementPolicy: policyOf("OR('Org2MSP.peer')") }),
    );
    const writes = (endorsers: TestChain['channel']['orderer'][], namespaces: string[], chaincode: string) =>
      chain.transaction(undefined, {
        chaincode,
        endorsers,
        simulate: (set) => {
          for (const namespace of namespaces) set.addWrite(namespace, 'k', Buffer.from('v'));
        },
      });
    const reads = chain.transaction(undefined, {
      chaincode: 'one',
      endorsers: [org1.peer],
      simulate: (set) => {
        set.addRead('two', 'other', undefined);
        set.addWrite('one', 'k2', Buffer.from('v'));
      },
    });
    expect(
      await chain.commit(
        writes([org1.peer], ['one'], 'one'),
        writes([org1.peer], ['one', 'two'], 'one'),
        writes([org1.peer, org2.peer], ['one', 'two'], 'one'),
        writes([org2.peer], ['two'], 'one'),
        reads,
      ),
    ).toEqual([VALID, ENDORSEMENT_POLICY_FAILURE, VALID, ENDORSEMENT_POLICY_FAILURE, VALID]);
  });

  test('definitions themselves need the lifecycle policy', async () => {
    const forged = chain.transaction(undefined, {
      creator: chain.channel.org1.admin,
      chaincode: LIFECYCLE_NAMESPACE,
      endorsers: [chain.channel.org1.peer],
      simulate: (set) => {
        set.addWrite(LIFECYCLE_NAMESPACE, 'namespaces/fields/basic/Sequence', Buffer.from('x'));
      },
    });
    expect(await chain.commit(forged)).toEqual([ENDORSEMENT_POLICY_FAILURE]);
  });
});

describe('the policy of a key', () => {
  test('takes the place of the chaincode policy for writes of its value and of its policy', async () => {
    const { org1, org2 } = chain.channel;
    expect(await chain.commit(createWithPolicy('k', "OR('Org2MSP.peer')"))).toEqual([VALID]);
    const changePolicy = (endorsers: (typeof org1.peer)[]) =>
      chain.transaction(
        (set) => {
          set.addMetadataWrite('basic', 'k', keyPolicy("OR('Org1MSP.peer')"));
        },
        { endorsers },
      );
    expect(
      await chain.commit(
        chain.write('k', '1', { endorsers: [org1.peer] }),
        chain.write('k', '2', { endorsers: [org2.peer] }),
        chain.write('k', '3', { endorsers: [org1.peer, org2.peer] }),
        changePolicy([org1.peer]),
        changePolicy([org2.peer]),
      ),
    ).toEqual([ENDORSEMENT_POLICY_FAILURE, VALID, VALID, ENDORSEMENT_POLICY_FAILURE, VALID]);
    expect(await chain.commit(chain.write('k', '4', { endorsers: [org1.peer] }))).toEqual([VALID]);
    expect(await chain.get('k')).toBe('4');
  });

  test('does not apply to other keys: one key without needs the chaincode policy', async () => {
    const { org2 } = chain.channel;
    await chain.commit(createWithPolicy('k', "OR('Org2MSP.peer')"));
    const both = chain.transaction(
      (set) => {
        set.addWrite('basic', 'k', Buffer.from('1'));
        set.addWrite('basic', 'other', Buffer.from('1'));
      },
      { endorsers: [org2.peer] },
    );
    expect(await chain.commit(both)).toEqual([ENDORSEMENT_POLICY_FAILURE]);
  });

  test('that a valid earlier transaction of the block changed fails whoever writes the key', async () => {
    const { org1, org2 } = chain.channel;
    await chain.commit(chain.write('k', '0'), chain.write('m', '0'));
    const setPolicy = (key: string, endorsers = [org1.peer, org2.peer]) =>
      chain.transaction(
        (set) => {
          set.addMetadataWrite('basic', key, keyPolicy("OR('Org2MSP.peer')"));
        },
        { endorsers },
      );
    expect(
      await chain.commit(
        setPolicy('k'),
        chain.write('k', '1'),
        chain.write('other', '1'),
        setPolicy('k'),
        // Not endorsed enough: changes nothing, so the next write of m is free.
        setPolicy('m', [org1.peer]),
        chain.write('m', '1'),
      ),
    ).toEqual([
      VALID,
      ENDORSEMENT_POLICY_FAILURE,
      VALID,
      ENDORSEMENT_POLICY_FAILURE,
      ENDORSEMENT_POLICY_FAILURE,
      VALID,
    ]);
    expect(await chain.commit(chain.write('k', '2', { endorsers: [org2.peer] }))).toEqual([VALID]);
  });

  test('changed by a transaction that then loses by version still blocks the key in this block, as in Fabric', async () => {
    await chain.commit(chain.write('k', '0'), chain.write('read', '0'));
    const stale = chain.transaction((set) => {
      set.addRead('basic', 'read', undefined);
      set.addMetadataWrite('basic', 'k', keyPolicy("OR('Org2MSP.peer')"));
    });
    expect(await chain.commit(stale, chain.write('k', '1'))).toEqual([MVCC_READ_CONFLICT, ENDORSEMENT_POLICY_FAILURE]);
    expect(await chain.commit(chain.write('k', '2'))).toEqual([VALID]);
  });

  test('goes with the key when it is deleted, and is kept when only the value is written', async () => {
    const { org1, org2 } = chain.channel;
    await chain.commit(createWithPolicy('k', "OR('Org2MSP.peer')"));
    expect(await chain.commit(chain.write('k', '1', { endorsers: [org2.peer] }))).toEqual([VALID]);
    expect(await chain.commit(chain.write('k', '2', { endorsers: [org1.peer] }))).toEqual([ENDORSEMENT_POLICY_FAILURE]);
    const remove = chain.transaction(
      (set) => {
        set.addWrite('basic', 'k', new Uint8Array());
      },
      { endorsers: [org2.peer] },
    );
    expect(await chain.commit(remove)).toEqual([VALID]);
    expect(await chain.commit(chain.write('k', '3', { endorsers: [org2.peer] }))).toEqual([ENDORSEMENT_POLICY_FAILURE]);
  });

  test('is taken away by an empty metadata write; metadata of an absent key is dropped', async () => {
    const { org1, org2 } = chain.channel;
    await chain.commit(createWithPolicy('k', "OR('Org2MSP.peer')"));
    const clear = chain.transaction(
      (set) => {
        set.addMetadataWrite('basic', 'k', new Map());
      },
      { endorsers: [org2.peer] },
    );
    const onNothing = chain.transaction((set) => {
      set.addMetadataWrite('basic', 'absent', keyPolicy("OR('Org2MSP.peer')"));
    });
    expect(await chain.commit(clear, onNothing)).toEqual([VALID, VALID]);
    expect(await chain.get('k')).toBe('v');
    expect(await chain.get('absent')).toBeUndefined();
    expect(
      await chain.commit(
        chain.write('k', '1', { endorsers: [org2.peer] }),
        chain.write('absent', '1', { endorsers: [org1.peer, org2.peer] }),
      ),
    ).toEqual([ENDORSEMENT_POLICY_FAILURE, VALID]);
  });

  test('that is no policy is satisfied by nobody', async () => {
    const broken = chain.transaction((set) => {
      set.addWrite('basic', 'k', Buffer.from('v'));
      set.addMetadataWrite('basic', 'k', new Map([['VALIDATION_PARAMETER', Buffer.of(0xff)]]));
    });
    expect(await chain.commit(broken)).toEqual([VALID]);
    expect(await chain.commit(chain.write('k', '1'))).toEqual([ENDORSEMENT_POLICY_FAILURE]);
  });

  test('can be a k-of-n that names one owner', async () => {
    const { org1, org2 } = chain.channel;
    await chain.commit(createWithPolicy('k', "AND('Org1MSP.peer', OutOf(1, 'Org2MSP.peer', 'Org1MSP.admin'))"));
    expect(
      await chain.commit(
        chain.write('k', '1', { endorsers: [org1.peer] }),
        chain.write('k', '2', { endorsers: [org1.peer, org1.admin] }),
        chain.write('k', '3', { endorsers: [org2.peer, org1.admin] }),
        chain.write('k', '4', { endorsers: [org2.peer, org1.peer] }),
      ),
    ).toEqual([ENDORSEMENT_POLICY_FAILURE, VALID, ENDORSEMENT_POLICY_FAILURE, VALID]);
  });
});
