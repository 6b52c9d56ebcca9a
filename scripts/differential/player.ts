import { common, gateway as gatewayMessages, peer } from '@hyperledger/fabric-protos';
import { GatewayError, type CloseableAsyncIterable, type Transaction } from '@hyperledger/fabric-gateway';
import type { Call, Round, TransactionCall } from './action.ts';
import { broadcast } from './grpc.ts';
import { LOOSE, ORG1 } from './program.ts';
import { BATCH, CHANNEL, type Side } from './side.ts';
import { sign, spoilTransaction } from './spoil.ts';

const { TRANSACTIONS_FILTER } = common.BlockMetadataIndex;
const CODE_NAMES = new Map<number, string>(Object.entries(peer.TxValidationCode).map(([name, code]) => [code, name]));
const MISMATCH = 'ProposalResponsePayloads do not match';
/** A peer in two groups of a layout is asked twice at once; whether the second call finds the first at work is chance. */
const ASKED_TWICE = /error sending: txid: \S+ exists$/;
const END_EVENT = 'the end';
const HEX_ID = /[0-9a-f]{64}/g;
const ADDRESS = /(?:localhost|127\.0\.0\.1):\d+/g;

/** What came of one thing that was done: comparable between the two networks. */
export type Outcome = Readonly<Record<string, unknown>>;

export interface RoundOutcome {
  readonly evaluations: readonly Outcome[];
  readonly endorsements: readonly Outcome[];
  /** In the order of submission, fillers included. */
  readonly submissions: readonly Outcome[];
  /** Validation codes, block by block. */
  readonly blocks: readonly (readonly string[])[];
}

interface Endorsed {
  readonly call: TransactionCall;
  readonly transaction: Transaction;
  readonly dueRound: number;
}

/** Plays rounds on one network. Everything that two networks may name differently is replaced by what both agree on. */
export class Player {
  readonly #side: Side;
  readonly #txNames = new Map<string, string>();
  readonly #streams: readonly CloseableAsyncIterable<common.Block>[];
  readonly #blocks: readonly AsyncIterator<common.Block, unknown>[];
  #held: Endorsed[] = [];
  #sentBefore: common.Envelope[] = [];
  #round = 0;

  private constructor(side: Side, streams: readonly CloseableAsyncIterable<common.Block>[]) {
    this.#side = side;
    this.#streams = streams;
    this.#blocks = streams.map((stream) => stream[Symbol.asyncIterator]());
  }

  /** @param startBlock first block that rounds will make */
  static async on(side: Side, startBlock: bigint): Promise<Player> {
    const streams = await Promise.all(
      side.mspIds.map((mspId) => side.gateway(mspId, mspId, 'user').getNetwork(CHANNEL).getBlockEvents({ startBlock })),
    );
    return new Player(side, streams);
  }

  close(): void {
    for (const stream of this.#streams) stream.close();
  }

  async play(round: Round): Promise<RoundOutcome> {
    this.#round += 1;
    const evaluations = await Promise.all(
      round.evaluations.map((call, index) => this.evaluate(call, `evaluation-${index}`)),
    );
    const attempts = await Promise.all(
      round.transactions.map((call, index) => this.#endorse(call, `transaction-${index}`)),
    );
    const endorsed = attempts.flatMap(({ endorsed: ready }) => (ready === undefined ? [] : [ready]));
    const due = [...this.#held, ...endorsed];
    this.#held = due.filter(({ dueRound }) => dueRound > this.#round);
    const again = this.#sentBefore.splice(0);
    const submissions: Outcome[] = [];
    for (const ready of due.filter(({ dueRound }) => dueRound <= this.#round))
      submissions.push(await this.#submit(ready));
    for (const envelope of again) submissions.push(await this.#send(envelope));
    // The last block is full too: nothing depends on when its time is up.
    for (let accepted = submissions.filter(isAccepted).length; accepted % BATCH.maxMessageCount !== 0; accepted++) {
      submissions.push(await this.#submitFiller(accepted));
    }
    const accepted = submissions.filter(isAccepted).length;
    return {
      evaluations,
      endorsements: attempts.map(({ outcome }) => outcome),
      submissions,
      blocks: await this.#blocksOf(accepted),
    };
  }

  /** Blocks of all peers have to arrive, and to agree, before the next round may be endorsed. */
  async #blocksOf(transactions: number): Promise<string[][]> {
    const perPeer = await Promise.all(
      this.#blocks.map(async (iterator) => {
        const codes: string[][] = [];
        for (let seen = 0; seen < transactions; seen += codes.at(-1)?.length ?? 0) {
          const next = await iterator.next();
          if (next.done === true) throw new Error(`${this.#side.name} delivers no more blocks`);
          codes.push(codesOf(next.value));
        }
        return codes;
      }),
    );
    const [first, ...others] = perPeer.map((codes) => JSON.stringify(codes));
    if (others.some((other) => other !== first)) throw new Error(`the peers of ${this.#side.name} disagree`);
    return perPeer[0] ?? [];
  }

  async evaluate(call: Call, place = 'final'): Promise<Outcome> {
    try {
      const { contract, options } = this.#contractOf(call);
      const proposal = contract.newProposal('run', options);
      this.#name(proposal.getTransactionId(), place);
      return { result: this.#text(await proposal.evaluate()) };
    } catch (error) {
      return this.#failure(error);
    }
  }

  async #endorse(
    call: TransactionCall,
    place: string,
  ): Promise<{ readonly outcome: Outcome; readonly endorsed?: Endorsed }> {
    try {
      const { contract, options } = this.#contractOf(call);
      const proposal = contract.newProposal('run', options);
      this.#name(proposal.getTransactionId(), place);
      const transaction = await proposal.endorse();
      const outcome = { result: this.#text(transaction.getResult()), endorsers: endorserMspIds(transaction) };
      return { outcome, endorsed: { call, transaction, dueRound: this.#round + call.heldRounds } };
    } catch (error) {
      return { outcome: this.#failure(error) };
    }
  }

  async #submit({ call, transaction }: Endorsed): Promise<Outcome> {
    const client = this.#side.signer(call.clientMspId, call.client);
    if (call.spoil !== undefined) {
      const endorsers = this.#side.mspIds.map((mspId) => this.#side.signer(mspId, 'peer'));
      const outcome = await this.#send(spoilTransaction(envelopeOf(transaction), call.spoil, client, endorsers));
      return { spoil: call.spoil, ...outcome };
    }
    if (call.duplicated) {
      this.#sentBefore.push(sign(common.Payload.deserializeBinary(envelopeOf(transaction).getPayload_asU8()), client));
    }
    try {
      await transaction.submit();
      return { accepted: true };
    } catch (error) {
      return this.#failure(error);
    }
  }

  async #submitFiller(number: number): Promise<Outcome> {
    const call = {
      gatewayMspId: ORG1,
      clientMspId: ORG1,
      client: 'user',
      chaincode: LOOSE,
      program: [{ do: 'identity' }],
    } as const;
    const { contract, options } = this.#contractOf(call);
    const proposal = contract.newProposal('run', options);
    this.#name(proposal.getTransactionId(), `filler-${number}`);
    await (await proposal.endorse()).submit();
    return { accepted: true, filler: true };
  }

  async #send(envelope: common.Envelope): Promise<Outcome> {
    const { status, info } = await broadcast(this.#side.orderer, envelope);
    return status === common.Status.SUCCESS ? { accepted: true } : { status, info: this.#normal(info) };
  }

  #contractOf(call: Call) {
    const contract = this.#side
      .gateway(call.gatewayMspId, call.clientMspId, call.client)
      .getNetwork(CHANNEL)
      .getContract(call.chaincode);
    return {
      contract,
      options: {
        arguments: [JSON.stringify(call.program)],
        ...(call.endorsingOrganizations === undefined
          ? {}
          : { endorsingOrganizations: [...call.endorsingOrganizations] }),
        ...(call.transient === undefined ? {} : { transientData: { ...call.transient } }),
      },
    };
  }

  /** By its place in the round: one network may have fewer fillers than the other. */
  #name(txId: string, place: string): void {
    this.#txNames.set(txId, `tx-${this.#round}-${place}`);
  }

  #text(bytes: Uint8Array): string {
    return this.#normal(Buffer.from(bytes).toString());
  }

  /** Ids of transactions become their numbers, other hashes (of packages) go, addresses become host names. */
  #normal(text: string): string {
    return text
      .replace(HEX_ID, (id) => this.#txNames.get(id) ?? '<hash>')
      .replace(ADDRESS, (address) => this.#side.hostNameOf(address));
  }

  #failure(error: unknown): Outcome {
    if (!(error instanceof GatewayError)) throw error;
    const told = error.details.filter(({ message }) => !ASKED_TWICE.test(message));
    const details = told.map(({ address, mspId, message }) =>
      // Of peers that are asked at once, the one that answers last is told to differ: chance.
      message === MISMATCH
        ? { address: '', mspId: '', message }
        : { address: this.#side.hostNameOf(address), mspId, message: this.#normal(message) },
    );
    // Answers of several peers arrive in any order.
    details.sort((left, right) => (left.mspId < right.mspId ? -1 : 1));
    return { code: error.code, message: this.#normal(received(error.message)), details };
  }

  /** All events from a block on, in order; a last one of our own tells where to stop. */
  async eventsUntilNow(chaincode: string, startBlock: bigint): Promise<Outcome[]> {
    const network = this.#side.gateway(ORG1, ORG1, 'user').getNetwork(CHANNEL);
    const end = [{ do: 'event', name: END_EVENT, payload: '' }];
    await network.getContract(chaincode).submit('run', { arguments: [JSON.stringify(end)] });
    const stream = await network.getChaincodeEvents(chaincode, { startBlock });
    const events: Outcome[] = [];
    try {
      for await (const { transactionId, eventName, payload } of stream) {
        if (eventName === END_EVENT) break;
        events.push({ txId: this.#normal(transactionId), eventName, payload: Buffer.from(payload).toString() });
      }
    } finally {
      stream.close();
    }
    return events;
  }
}

/**
 * Fabric sends a status text that ends in a space as it is, and Node's HTTP/2 drops such a header; devnet's server escapes the
 * space, so that the text arrives. Both are read as what arrives from Fabric.
 */
function received(message: string): string {
  return message.endsWith(' ') ? (/^\d+ \w+: /.exec(message)?.[0] ?? message) : message;
}

function isAccepted(outcome: Outcome): boolean {
  return outcome['accepted'] === true;
}

function envelopeOf(transaction: Transaction): common.Envelope {
  const prepared = gatewayMessages.PreparedTransaction.deserializeBinary(transaction.getBytes());
  return prepared.getEnvelope() ?? new common.Envelope();
}

/** Who endorsed, as a sorted list: which peer was asked first is chance. */
function endorserMspIds(transaction: Transaction): string[] {
  const payload = common.Payload.deserializeBinary(envelopeOf(transaction).getPayload_asU8());
  const [action] = peer.Transaction.deserializeBinary(payload.getData_asU8()).getActionsList();
  const endorsed = peer.ChaincodeActionPayload.deserializeBinary(
    action?.getPayload_asU8() ?? new Uint8Array(),
  ).getAction();
  return (endorsed?.getEndorsementsList() ?? [])
    .map(
      (endorsement) => /^..(\w+MSP)/s.exec(Buffer.from(endorsement.getEndorser_asU8()).toString('latin1'))?.[1] ?? '?',
    )
    .sort();
}

function codesOf(block: common.Block): string[] {
  const filter = block.getMetadata()?.getMetadataList_asU8()[TRANSACTIONS_FILTER] ?? new Uint8Array();
  return [...filter].map((code) => CODE_NAMES.get(code) ?? String(code));
}
