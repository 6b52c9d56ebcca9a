import { peer } from '@hyperledger/fabric-protos';
import { LIFECYCLE_NAMESPACE, readSequence, sequenceKey } from '../lifecycle/chaincode-definition.ts';
import { buildMessage } from './chaincode-message.ts';
import type { ChaincodeEndpoint } from './chaincode-call.ts';
import { connectChaincode, type ChaincodeConnection } from './chaincode-connection.ts';
import type { Transaction, TransactionContext } from './transaction-context.ts';
import { messageOf } from '../errors.ts';

const LEGACY_LIFECYCLE_NAMESPACE = 'lscc';
const DEFAULT_EXECUTE_TIMEOUT_MS = 30_000;
const DEFAULT_LAUNCH_TIMEOUT_MS = 5_000;

/** The chaincodes of a Fabric peer itself. */
export const SYSTEM_CHAINCODES: ReadonlySet<string> = new Set(['_lifecycle', 'lscc', 'qscc', 'cscc']);

export interface ChaincodeOfPeer {
  readonly name: string;
  readonly endpoint: ChaincodeEndpoint;
  readonly packageId?: string;
  /** The definition from which on this server runs the chaincode; until then an earlier one does. Default: any. */
  readonly fromSequence?: number;
}

export interface ChaincodeSupportParams {
  readonly chaincodes: readonly ChaincodeOfPeer[];
  /** Throws when the proposal's creator may not call chaincodes on the channel. */
  readonly checkChaincodeToChaincode: (channelId: string, proposal: peer.SignedProposal) => void;
  /** Calls a chaincode of the peer itself for another one, which checks access itself. Rejects when it cannot be called. */
  readonly invokeSystemChaincode: (
    name: string,
    transaction: Transaction,
    input: peer.ChaincodeInput,
  ) => Promise<peer.Response>;
  /** Default 30 s, as in Fabric. */
  readonly executeTimeoutMs?: number;
  /** How long a transaction waits for a chaincode that is not connected. Default 5 s. */
  readonly launchTimeoutMs?: number;
  readonly onStateChange?: (name: string, connection: ChaincodeConnection) => void;
}

export interface ExecutionResult {
  readonly response: peer.Response;
  readonly event: peer.ChaincodeEvent | undefined;
}

/** The chaincodes of one peer. */
export interface ChaincodeSupport {
  /** Runs a chaincode that the channel defines. Throws when it cannot be run; what the chaincode answers is in the result. */
  execute(transaction: Transaction, name: string, input: peer.ChaincodeInput): Promise<ExecutionResult>;
  readonly names: readonly string[];
  has(name: string): boolean;
  /** That to the newest server. */
  connection(name: string): ChaincodeConnection | undefined;
  /** Connects to another server of a chaincode, beside the one that runs it until the channel has its definition. */
  prepare(chaincode: ChaincodeOfPeer): void;
  /** Ends the connections to all servers of a chaincode but the newest, each once what it runs has ended. */
  retire(name: string): void;
  /** Takes back what `prepare` did last. */
  withdraw(name: string): void;
  close(): void;
}

/** One server of a chaincode, and how many transactions it runs. */
interface Server {
  readonly fromSequence: number;
  readonly connection: ChaincodeConnection;
  running: number;
  isRetired: boolean;
}

/** Connects to all chaincodes of a peer (Fabric: core/chaincode/chaincode_support.go). */
export function createChaincodeSupport(params: ChaincodeSupportParams): ChaincodeSupport {
  const executeTimeoutMs = params.executeTimeoutMs ?? DEFAULT_EXECUTE_TIMEOUT_MS;
  const launchTimeoutMs = params.launchTimeoutMs ?? DEFAULT_LAUNCH_TIMEOUT_MS;
  /** By name of the chaincode, oldest first. */
  const servers = new Map<string, Server[]>();

  const invoke = async (
    transaction: Transaction,
    name: string,
    input: peer.ChaincodeInput,
  ): Promise<peer.ChaincodeMessage> => {
    const server = await checkInvocation(transaction, name, input, servers.get(name));
    server.running += 1;
    try {
      return await runOn(server, transaction, name, input);
    } finally {
      server.running -= 1;
      closeWhenIdle(server);
    }
  };

  const runOn = async (
    { connection }: Server,
    transaction: Transaction,
    name: string,
    input: peer.ChaincodeInput,
  ): Promise<peer.ChaincodeMessage> => {
    let stream;
    try {
      stream = await connection.ready(launchTimeoutMs);
    } catch (error) {
      throw new Error(`could not launch chaincode ${name}: ${messageOf(error)}`, { cause: error });
    }
    try {
      return await stream.execute(transaction, name, input, executeTimeoutMs);
    } catch (error) {
      throw new Error(`error sending: ${messageOf(error)}`, { cause: error });
    }
  };

  const invokeChaincode = async (spec: peer.ChaincodeSpec, context: TransactionContext): Promise<Uint8Array> => {
    const target = parseName(spec.getChaincodeId()?.getName() ?? '');
    const { transaction } = context;
    const channelId = target.channelId === '' ? transaction.channelId : target.channelId;
    const input = spec.getInput() ?? new peer.ChaincodeInput();
    const isSystemChaincode = SYSTEM_CHAINCODES.has(target.name);
    if (channelId !== transaction.channelId) {
      throw new Error(
        isSystemChaincode
          ? `failed to find ledger for channel: ${channelId}`
          : `Failed to get policy manager for channel [${channelId}]`,
      );
    }
    if (!isSystemChaincode) {
      params.checkChaincodeToChaincode(channelId, transaction.signedProposal);
    }
    try {
      if (!isSystemChaincode) return (await invoke(transaction, target.name, input)).serializeBinary();
      const response = await params.invokeSystemChaincode(target.name, transaction, input);
      return buildMessage(
        peer.ChaincodeMessage.Type.COMPLETED,
        response.serializeBinary(),
        transaction,
      ).serializeBinary();
    } catch (error) {
      throw new Error(`execute failed: ${messageOf(error)}`, { cause: error });
    }
  };

  const prepare = ({ name, endpoint, packageId, fromSequence = 0 }: ChaincodeOfPeer): void => {
    const connection: ChaincodeConnection = connectChaincode({
      endpoint,
      ...(packageId === undefined ? {} : { packageId }),
      invokeChaincode,
      onStateChange: () => params.onStateChange?.(name, connection),
    });
    const server = { fromSequence, connection, running: 0, isRetired: false };
    servers.set(name, [...(servers.get(name) ?? []), server]);
  };
  for (const chaincode of params.chaincodes) prepare(chaincode);

  return {
    execute: async (transaction, name, input) => {
      let answer: peer.ChaincodeMessage;
      try {
        answer = await invoke(transaction, name, input);
      } catch (error) {
        throw new Error(`failed to execute transaction ${transaction.txId}: ${messageOf(error)}`, { cause: error });
      }
      return readAnswer(answer, transaction.txId, name);
    },
    get names() {
      return [...servers.keys()];
    },
    has: (name) => servers.has(name),
    connection: (name) => servers.get(name)?.at(-1)?.connection,
    prepare,
    retire: (name) => {
      const all = servers.get(name) ?? [];
      servers.set(name, all.slice(-1));
      for (const server of all.slice(0, -1)) {
        server.isRetired = true;
        closeWhenIdle(server);
      }
    },
    withdraw: (name) => {
      const all = servers.get(name) ?? [];
      all.at(-1)?.connection.close();
      servers.set(name, all.slice(0, -1));
    },
    close: () => {
      for (const { connection } of [...servers.values()].flat()) connection.close();
    },
  };
}

function closeWhenIdle({ isRetired, running, connection }: Server): void {
  if (isRetired && running === 0) connection.close();
}

/** The definition must exist on the channel: reading its sequence puts it into the read set. Gives the server that runs it. */
async function checkInvocation(
  transaction: Transaction,
  name: string,
  input: peer.ChaincodeInput,
  servers: readonly Server[] | undefined,
): Promise<Server> {
  const sequence = await transaction.simulator.getState(LIFECYCLE_NAMESPACE, sequenceKey(name));
  const place = `invalid invocation: [channel ${transaction.channelId}] failed to get chaincode container info for ${name}`;
  if (sequence === undefined) {
    // Fabric then looks for a definition of the kind it had before 2.0, and that it is not there is read as well.
    await transaction.simulator.getState(LEGACY_LIFECYCLE_NAMESPACE, name);
    throw new Error(`${place}: chaincode ${name} not found`);
  }
  if (input.getIsInit()) {
    throw new Error(`invalid invocation: chaincode '${name}' does not require initialization but called as init`);
  }
  if (servers === undefined) {
    throw new Error(`${place}: chaincode definition for '${name}' exists, but chaincode is not installed`);
  }
  const [only, ...others] = servers;
  return only !== undefined && others.length === 0 ? only : serverAt(readSequence(sequence.value), servers);
}

/** The newest server that the definition of this sequence, or one before it, brought. */
function serverAt(sequence: number, servers: readonly Server[]): Server {
  const server = servers.findLast(({ fromSequence }) => fromSequence <= sequence) ?? servers[0];
  if (server === undefined) throw new Error('a chaincode that is installed has a server');
  return server;
}

function readAnswer(answer: peer.ChaincodeMessage, txId: string, name: string): ExecutionResult {
  if (answer.getType() === peer.ChaincodeMessage.Type.ERROR) {
    const reason = Buffer.from(answer.getPayload_asU8()).toString('utf8');
    throw new Error(`transaction returned with failure: ${reason}`);
  }
  const event = answer.getChaincodeEvent();
  event?.setChaincodeId(name);
  event?.setTxId(txId);
  return { response: readResponse(answer.getPayload_asU8(), txId), event };
}

function readResponse(bytes: Uint8Array, txId: string): peer.Response {
  try {
    return peer.Response.deserializeBinary(bytes);
  } catch (cause) {
    throw new Error(
      `failed to unmarshal response for transaction ${txId}: proto: cannot parse invalid wire-format data`,
      { cause },
    );
  }
}

/** `name:version/channel`, version and channel optional; the version is ignored, as in Fabric. */
function parseName(text: string): { readonly name: string; readonly channelId: string } {
  const slash = text.indexOf('/');
  const nameAndVersion = slash < 0 ? text : text.slice(0, slash);
  const [name = ''] = nameAndVersion.split(':');
  return { name, channelId: slash < 0 ? '' : text.slice(slash + 1) };
}
