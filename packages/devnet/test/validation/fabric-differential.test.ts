import { join } from 'node:path';
import { common, peer } from '@hyperledger/fabric-protos';
import { headerFieldsOf, headerHash } from '../../src/block/hashes.ts';
import { openPeerLedger, type PeerLedger } from '../../src/ledger/index.ts';
import { signaturePolicy } from '../../src/lifecycle/chaincode-definition.ts';
import { sequenceKey } from '../../src/lifecycle/chaincode-definition.ts';
import { signaturePolicyFromString } from '../../src/policy/index.ts';
import { TxSimulator } from '../../src/simulation/index.ts';
import { describeWithFabric } from '../support/fabric-programs.ts';
import { freePorts } from '../support/free-ports.ts';
import { NativeFabric, fabricConfigDir } from '../support/native-fabric.ts';
import { createTestChannel, issueIdentity, type TestChannel, type TestIdentity } from '../support/test-channel.ts';
import { createDefinitionTransaction, createTransaction, type TransactionParts } from '../support/test-transaction.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary-folder.ts';

const Code = peer.TxValidationCode;
const NAMES = new Map<number, string>(Object.entries(Code).map(([name, code]) => [code, name]));
const SEED = Number(process.env['DEVNET_SEED'] ?? 20_261_121);
const ROUNDS = 14;
const TRANSACTIONS_PER_ROUND = 30;
const { TRANSACTIONS_FILTER, COMMIT_HASH } = common.BlockMetadataIndex;

/** A repeatable source of choices: mulberry32. */
class Choices {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  }

  of<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new Error('nothing to choose from');
    return value;
  }
}

/**
 * What is wrong with a transaction and still passes the orderer. Left out are those on which Fabric's peer stops for good: a
 * transaction without actions, and a chaincode action that cannot be decoded.
 */
const SPOILS: readonly NonNullable<TransactionParts['spoil']>[] = [
  {
    channelHeader: (h) => {
      h.setType(99);
    },
  },
  {
    channelHeader: (h) => {
      h.setEpoch(1);
    },
  },
  {
    signatureHeader: (h) => {
      h.setNonce('');
    },
  },
  {
    channelHeader: (h) => {
      h.setTxId('0'.repeat(64));
    },
  },
  {
    signatureHeader: (h) => {
      h.setNonce(Buffer.from('other'));
    },
  },
  {
    transaction: (t) => {
      t.setActionsList([...t.getActionsList(), ...t.getActionsList()]);
    },
  },
  {
    transaction: (t) => {
      t.getActionsList()[0]?.setHeader('');
    },
  },
  {
    responsePayload: (p) => {
      p.setProposalHash(Buffer.alloc(32));
    },
  },
  {
    channelHeader: (h) => {
      h.setExtension$(Buffer.of(0xff));
    },
  },
  {
    channelHeader: (h) => {
      h.setExtension$('');
    },
  },
  {
    responsePayload: (p) => {
      p.setExtension$('');
    },
  },
  {
    action: (a) => {
      a.setResults(Buffer.of(0xff));
    },
  },
  {
    action: (a) => {
      a.setChaincodeId(undefined);
    },
  },
  {
    action: (a) => {
      a.getChaincodeId()?.setName('other');
    },
  },
  {
    action: (a) => {
      a.getChaincodeId()?.setVersion('');
    },
  },
  {
    action: (a) => {
      a.setEvents(Buffer.of(0xff));
    },
  },
  {
    action: (a) => {
      a.setEvents(eventOf('other'));
    },
  },
  {
    action: (a) => {
      a.setEvents(eventOf('basic'));
    },
  },
  { endorsements: (list) => list.slice(0, 1) },
  { endorsements: ([first]) => (first === undefined ? [] : [first, first]) },
  {
    endorsements: (list) =>
      list.map((e) => {
        e.setSignature(Buffer.from('no signature'));
        return e;
      }),
  },
];

function eventOf(chaincode: string): Uint8Array {
  const event = new peer.ChaincodeEvent();
  event.setChaincodeId(chaincode);
  event.setEventName('happened');
  return event.serializeBinary();
}

const KEY_POLICIES = [
  "OR('Org1MSP.peer')",
  "OR('Org2MSP.peer')",
  "AND('Org1MSP.peer','Org2MSP.peer')",
  "OutOf(2,'Org1MSP.peer','Org1MSP.peer','Org2MSP.peer')",
  "AND('Org1MSP.member', OR('Org2MSP.peer','Org1MSP.admin'))",
].map((rule) => new Map([['VALIDATION_PARAMETER', signaturePolicyFromString(rule).serializeBinary()]]));

/**
 * Random transactions. Three traps are stepped around, because in them Fabric's peer stops for good: metadata alone on a key that
 * was deleted earlier in the block, and a write of a key whose metadata was changed by an earlier transaction that was refused
 * before its endorsements, or those of this one of its namespaces, were looked at.
 */
class Generator {
  readonly #choices: Choices;
  readonly #channel: TestChannel;
  readonly #endorsers: readonly (readonly TestIdentity[])[];
  readonly #sent: common.Envelope[] = [];

  constructor(choices: Choices, channel: TestChannel, otherPeer: TestIdentity) {
    const { org1, org2 } = channel;
    this.#choices = choices;
    this.#channel = channel;
    const both = [org1.peer, org2.peer];
    this.#endorsers = [
      both,
      both,
      both,
      [org2.peer, org1.peer],
      [...both, otherPeer],
      [org1.peer],
      [org2.peer],
      [org1.peer, otherPeer],
      [org1.peer, org1.admin],
      [org1.client, org2.peer],
      [],
    ];
  }

  async next(ledger: PeerLedger): Promise<common.Envelope> {
    const kind = this.#choices.below(20);
    if (kind === 0 && this.#sent.length > 0) return this.#choices.of(this.#sent);
    if (kind <= 3) return this.#create(ledger, false, { spoil: this.#choices.of(SPOILS) });
    if (kind === 4) return this.#create(ledger, false, { chaincode: 'nothing' });
    const envelope = await this.#create(ledger, kind > 10, { endorsers: this.#choices.of(this.#endorsers) });
    return envelope;
  }

  async #create(ledger: PeerLedger, withMetadata: boolean, parts: Partial<TransactionParts>): Promise<common.Envelope> {
    const simulator = new TxSimulator('random', await ledger.snapshot());
    try {
      const chaincode = this.#choices.of(['basic', 'basic', 'loose']);
      await simulator.getState('_lifecycle', sequenceKey(chaincode));
      for (let step = this.#choices.below(5); step >= 0; step--) await this.#step(simulator, chaincode, withMetadata);
      const { org1, org2 } = this.#channel;
      const { envelope } = createTransaction({
        creator: this.#choices.of([org1.client, org2.client, org1.admin]),
        endorsers: [org1.peer, org2.peer],
        chaincode,
        results: simulator.results().readWriteSet,
        ...parts,
      });
      if (!withMetadata) this.#sent.push(envelope);
      return envelope;
    } finally {
      await simulator.done();
    }
  }

  async #step(simulator: TxSimulator, chaincode: string, withMetadata: boolean): Promise<void> {
    const choices = this.#choices;
    const namespace = !withMetadata && choices.below(8) === 0 ? choices.of(['basic', 'loose']) : chaincode;
    const key = `k${choices.below(9)}`;
    switch (choices.below(withMetadata ? 9 : 7)) {
      case 0:
      case 1:
        await simulator.getState(namespace, key);
        return;
      case 2:
      case 3:
        await simulator.putState(namespace, key, Buffer.from(`value ${choices.below(1000)}`));
        return;
      case 4:
        await simulator.deleteState(namespace, key);
        return;
      case 5:
        return this.#rangeRead(simulator, namespace);
      case 6:
        await simulator.putState(namespace, `wide${String(choices.below(200)).padStart(3, '0')}`, Buffer.from('w'));
        return;
      default:
        // Keys of their own, never deleted.
        if (choices.below(2) === 0) await simulator.putState(namespace, `m${choices.below(4)}`, Buffer.from('m'));
        await simulator.putMetadata(
          namespace,
          `m${choices.below(4)}`,
          choices.below(5) === 0 ? new Map() : choices.of(KEY_POLICIES),
        );
    }
  }

  async #rangeRead(simulator: TxSimulator, namespace: string): Promise<void> {
    const choices = this.#choices;
    const [start, end] = choices.of([
      ['k', 'l'],
      ['', ''],
      ['wide', 'widf'],
      [`k${choices.below(5)}`, `k${5 + choices.below(5)}`],
    ] as const);
    const results = simulator.rangeQuery(namespace, start, end);
    for (let left = choices.of([0, 1, 3, 60, 1000]); left > 0; left--) {
      if ((await results.next()) === undefined) break;
    }
    await results.close();
  }
}

const configured = fabricConfigDir() !== undefined;
const title = 'the same random transactions on devnet and on Fabric';

describeWithFabric(
  configured ? title : `${title} (needs FABRIC_CFG_PATH with core.yaml and orderer.yaml)`,
  configured ? ['orderer', 'peer'] : ['FABRIC_CFG_PATH'],
  () => {
    test(`the same codes and commit hashes, block by block (DEVNET_SEED=${SEED})`, async () => {
      const [ordererPort = 0, ordererAdmin = 0, peerPort = 0, peerChaincode = 0] = await freePorts(4);
      const channel = await createTestChannel({ ordererPort, batchTimeoutMs: 200, batchSize: { maxMessageCount: 20 } });
      const dir = await temporaryFolder();
      const ports = { orderer: ordererPort, ordererAdmin, peer: peerPort, peerChaincode };
      const fabric = await NativeFabric.start(channel, ports, dir);
      const ledger = await openPeerLedger({ dir: join(dir, 'devnet'), genesisBlock: channel.genesisBlock });
      const counts = new Map<string, number>();
      try {
        const blocks = fabric.peerBlocks(1);
        const follow = async (transactions: number) => {
          let left = transactions;
          while (left > 0) {
            const { value: theirs } = await blocks.next();
            if (theirs === undefined) throw new Error('the peer stopped delivering');
            const { block: ours } = await ledger.commit(theirs);
            const facts = factsOf(theirs);
            expect(factsOf(ours)).toEqual(facts);
            for (const name of facts.codes) counts.set(name, (counts.get(name) ?? 0) + 1);
            left -= facts.codes.length;
          }
          expect(left).toBe(0);
        };
        const definitions = [
          createDefinitionTransaction(channel),
          createDefinitionTransaction(channel, {
            name: 'loose',
            endorsementPolicy: signaturePolicy(signaturePolicyFromString("OR('Org1MSP.member','Org2MSP.peer')")),
          }),
        ].map(({ envelope }) => envelope);
        await fabric.broadcast(definitions);
        await follow(definitions.length);
        const generator = new Generator(
          new Choices(SEED),
          channel,
          await issueIdentity(channel.org1.ca, 'peer1', 'peer'),
        );
        for (let round = 0; round < ROUNDS; round++) {
          const envelopes: common.Envelope[] = [];
          for (let i = 0; i < TRANSACTIONS_PER_ROUND; i++) envelopes.push(await generator.next(ledger));
          const statuses = await fabric.broadcast(envelopes);
          expect(new Set(statuses)).toEqual(new Set([common.Status.SUCCESS]));
          await follow(envelopes.length);
        }
        await blocks.return();
      } finally {
        await ledger.close();
        await fabric.stop();
        await removeTemporaryFolders();
      }
      process.stderr.write(`compared with Fabric: ${JSON.stringify(Object.fromEntries(counts))}\n`);
      for (const name of [
        'VALID',
        'MVCC_READ_CONFLICT',
        'PHANTOM_READ_CONFLICT',
        'ENDORSEMENT_POLICY_FAILURE',
        'DUPLICATE_TXID',
        'INVALID_CHAINCODE',
      ]) {
        expect([name, (counts.get(name) ?? 0) > 0]).toEqual([name, true]);
      }
    }, 180_000);
  },
);

/** What two peers must agree on. */
function factsOf(block: common.Block) {
  const slots = block.getMetadata()?.getMetadataList_asU8() ?? [];
  const header = block.getHeader();
  return {
    hash: header === undefined ? '' : Buffer.from(headerHash(headerFieldsOf(header))).toString('hex'),
    codes: [...(slots[TRANSACTIONS_FILTER] ?? [])].map((code) => NAMES.get(code) ?? String(code)),
    commitHash: Buffer.from(slots[COMMIT_HASH] ?? []).toString('hex'),
  };
}
