import type { Ledger } from '@waymark/fabric';
import {
  createSlots,
  defaultDeadlines,
  defaultMaxConflictRetries,
  defaultMaxInFlight,
  submitTransaction,
} from '@waymark/fabric/client';
import { WaymarkError } from '@waymark/protocol';
import { openLink, type Link } from './connection/link.ts';
import { readBlocks, readChaincodeEvents } from './events/blocks.ts';
import { watchCommits, type CommitWatch } from './events/commit-watch.ts';
import type { FabricNetworkOptions } from './options.ts';
import { endorse } from './transaction/endorse.ts';
import { evaluateOn } from './transaction/evaluate.ts';
import { lookUpTransaction } from './transaction/look-up.ts';

interface Connection {
  readonly link: Link;
  readonly watch: CommitWatch;
}

/**
 * A ledger over the fabric-network client: it talks to endorsing peers, orderers and event services itself instead of
 * through a peer's gateway. Connects when first used; until that succeeds, each call tries again.
 *
 * @throws WaymarkError `configuration-invalid` when no peer is of the identity's organisation, or when there is neither
 *   discovery nor an orderer.
 */
export function connectFabricNetwork(options: FabricNetworkOptions): Ledger {
  const { identity, channel, chaincode } = options;
  checkOptions(options);
  const deadlines = { ...defaultDeadlines, ...options.deadlines };
  const slots = createSlots(options.maxInFlight ?? defaultMaxInFlight);
  const closing = new AbortController();
  let connection: Promise<Connection> | undefined;

  const open = async (): Promise<Connection> => {
    const link = await openLink(options, deadlines);
    if (closing.signal.aborted) link.close();
    const lookUp = (txId: string) => slots.run(() => lookUpTransaction(link, txId, deadlines.evaluateMs));
    return { link, watch: watchCommits(link, lookUp, closing.signal) };
  };
  const connected = async (): Promise<Connection> => {
    guard();
    connection ??= open().catch((error: unknown) => {
      connection = undefined;
      throw error;
    });
    const current = await connection;
    guard();
    return current;
  };
  const guard = (): void => {
    if (closing.signal.aborted) throw new WaymarkError('unavailable', 'the ledger connection is closed');
  };
  const link = async (): Promise<Link> => (await connected()).link;

  return {
    channel,
    chaincode,
    mspId: identity.mspId,
    get load() {
      return { inFlight: slots.inFlight, waiting: slots.waiting };
    },
    async evaluate(contract, fn, args, callOptions = {}) {
      const current = await link();
      const call = { chaincode, contract, fn, args, options: callOptions, timeoutMs: deadlines.evaluateMs };
      return slots.run(() => current.home.ask((peer) => evaluateOn(current, peer, call)), callOptions.signal);
    },
    async submit(contract, fn, args, submitOptions = {}) {
      const current = await connected();
      return submitTransaction(
        {
          deadlines,
          maxConflictRetries: options.maxConflictRetries ?? defaultMaxConflictRetries,
          signal: closing.signal,
          endorse: (call) => endorse({ ...current, chaincode, deadlines, slots }, call),
        },
        { contract, fn, args, options: submitOptions },
      );
    },
    async transactionStatus(txId, waitMs = 5_000) {
      return (await connected()).watch.wait(txId, waitMs);
    },
    blockEvents: (eventOptions) => readBlocks(link, eventOptions, closing.signal),
    chaincodeEvents: (eventOptions) => readChaincodeEvents(link, chaincode, eventOptions, closing.signal),
    close() {
      closing.abort();
      connection?.then(
        (current) => current.link.close(),
        () => undefined,
      );
    },
  };
}

function checkOptions({ peers, orderers = [], discovery, identity }: FabricNetworkOptions): void {
  const problem = peers.every(({ mspId }) => mspId !== identity.mspId)
    ? 'no peer of the own organisation is named'
    : discovery === undefined && orderers.length === 0
      ? 'without discovery an orderer must be named'
      : undefined;
  if (problem !== undefined) throw new WaymarkError('configuration-invalid', problem);
}
