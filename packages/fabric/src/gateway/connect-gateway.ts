import { Client, credentials, type ChannelOptions } from '@grpc/grpc-js';
import { connect, hash, type Contract } from '@hyperledger/fabric-gateway';
import { WaymarkError } from '@waymark/protocol';
import { createSlots } from '../flow/slots.ts';
import { toLowS } from '../identity/signer.ts';
import type { Ledger } from '../ledger.ts';
import { readBlocks, readChaincodeEvents } from './events.ts';
import { fromGatewayFailure } from '../errors/gateway-failure.ts';
import {
  defaultDeadlines,
  defaultMaxConflictRetries,
  defaultMaxInFlight,
  keepaliveTimeMs,
  maxReceiveSizeBytes,
} from '../limits.ts';
import { submitTransaction, type SubmitSession } from '../transaction/submit-transaction.ts';
import { endorse } from './endorse.ts';
import type { GatewayOptions } from './options.ts';
import { askStatus, commitRequestBytes } from './status.ts';

/**
 * A ledger behind the gateway of a Fabric peer (2.4 or later) or of an embedded network. Connects when first used; one
 * gRPC connection serves all calls and streams.
 *
 * @throws WaymarkError `configuration-invalid` when the TLS CA does not parse.
 */
export function connectGateway(options: GatewayOptions): Ledger {
  const client = new Client(
    options.endpoint,
    tlsCredentials(options.tlsRootPem),
    channelOptions(options.tlsServerName),
  );
  const deadlines = { ...defaultDeadlines, ...options.deadlines };
  const within = (milliseconds: number) => () => ({ deadline: Date.now() + milliseconds });
  const { mspId, certificatePem, sign } = options.identity;
  const gateway = connect({
    client,
    identity: { mspId, credentials: Buffer.from(certificatePem) },
    signer: async (digest) => toLowS(await sign(digest)),
    hash: hash.sha256,
    evaluateOptions: within(deadlines.evaluateMs),
    endorseOptions: within(deadlines.endorseMs),
    submitOptions: within(deadlines.submitMs),
    commitStatusOptions: within(deadlines.commitStatusMs),
  });
  const network = gateway.getNetwork(options.channel);
  const slots = createSlots(options.maxInFlight ?? defaultMaxInFlight);
  const closing = new AbortController();
  const contractOf = (name: string): Contract => network.getContract(options.chaincode, name);
  const session: SubmitSession = {
    deadlines,
    maxConflictRetries: options.maxConflictRetries ?? defaultMaxConflictRetries,
    signal: closing.signal,
    endorse: (call) => endorse(slots, contractOf(call.contract), call),
  };
  const guard = (): void => {
    if (closing.signal.aborted) throw new WaymarkError('unavailable', 'the ledger connection is closed');
  };

  return {
    channel: options.channel,
    chaincode: options.chaincode,
    mspId,
    get load() {
      return { inFlight: slots.inFlight, waiting: slots.waiting };
    },
    async evaluate(contract, fn, args, callOptions = {}) {
      guard();
      const proposal = {
        arguments: [...args],
        ...(callOptions.transient === undefined ? {} : { transientData: { ...callOptions.transient } }),
      };
      try {
        return await slots.run(() => contractOf(contract).evaluate(fn, proposal), callOptions.signal);
      } catch (error) {
        throw fromGatewayFailure(error);
      }
    },
    async submit(contract, fn, args, submitOptions = {}) {
      guard();
      return submitTransaction(session, { contract, fn, args, options: submitOptions });
    },
    async transactionStatus(txId, waitMs = 5_000) {
      guard();
      const bytes = commitRequestBytes({ channel: options.channel, txId, mspId, certificatePem });
      return askStatus(gateway.newCommit(bytes), slots, waitMs);
    },
    blockEvents: (eventOptions) => readBlocks(network, eventOptions, closing.signal),
    chaincodeEvents: (eventOptions) => readChaincodeEvents(network, options.chaincode, eventOptions, closing.signal),
    close() {
      closing.abort();
      gateway.close();
      client.close();
    },
  };
}

function channelOptions(tlsServerName: string | undefined): ChannelOptions {
  return {
    'grpc.max_receive_message_length': maxReceiveSizeBytes,
    'grpc.max_send_message_length': maxReceiveSizeBytes,
    'grpc.keepalive_time_ms': keepaliveTimeMs,
    'grpc.keepalive_timeout_ms': 20_000,
    'grpc.max_reconnect_backoff_ms': 10_000,
    ...(tlsServerName === undefined ? {} : { 'grpc.ssl_target_name_override': tlsServerName }),
  };
}

function tlsCredentials(rootPem: string): ReturnType<typeof credentials.createSsl> {
  try {
    return credentials.createSsl(Buffer.from(rootPem));
  } catch (cause) {
    throw new WaymarkError('configuration-invalid', 'the TLS CA of the gateway does not parse', { cause });
  }
}
