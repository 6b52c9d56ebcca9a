import { peer } from '@hyperledger/fabric-protos';
import { LIFECYCLE_NAMESPACE, sequenceKey } from '../lifecycle/chaincode-definition.ts';
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
  connection(name: string): ChaincodeConnection | undefined;
  close(): void;
}

/** Connects to all chaincodes of a peer (Fabric: core/chaincode/chaincode_support.go). */
export function createChaincodeSupport(params: ChaincodeSupportParams): ChaincodeSupport {
  const executeTimeoutMs = params.executeTimeoutMs ?? DEFAULT_EXECUTE_TIMEOUT_MS;
  const launchTimeoutMs = params.launchTimeoutMs ?? DEFAULT_LAUNCH_TIMEOUT_MS;
  const connections = new Map<string, ChaincodeConnection>();

  const invoke = async (
    transaction: Transaction,
    name: string,
    input: peer.ChaincodeInput,
  ): Promise<peer.ChaincodeMessage> => {
    const connection = await checkInvocation(transaction, name, input, connections);
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

  for (const { name, endpoint, packageId } of params.chaincodes) {
    const connection: ChaincodeConnection = connectChaincode({
      endpoint,
      ...(packageId === undefined ? {} : { packageId }),
      invokeChaincode,
      onStateChange: () => params.onStateChange?.(name, connection),
    });
    connections.set(name, connection);
  }

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
    names: [...connections.keys()],
    has: (name) => connections.has(name),
    connection: (name) => connections.get(name),
    close: () => {
      for (const connection of connections.values()) connection.close();
    },
  };
}

/** The definition must exist on the channel: reading its sequence puts it into the read set. */
async function checkInvocation(
  transaction: Transaction,
  name: string,
  input: peer.ChaincodeInput,
  connections: ReadonlyMap<string, ChaincodeConnection>,
): Promise<ChaincodeConnection> {
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
  const connection = connections.get(name);
  if (connection === undefined) {
    throw new Error(`${place}: chaincode definition for '${name}' exists, but chaincode is not installed`);
  }
  return connection;
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
