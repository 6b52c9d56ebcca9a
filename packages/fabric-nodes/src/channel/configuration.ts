import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@grpc/grpc-js';
import { common } from '@hyperledger/fabric-protos';
import {
  computeUpdate,
  consensusOf,
  createSigningIdentity,
  parseConfigBlock,
  signUpdate,
  type ConfigChange,
  type ConfiguredConsensus,
  type Endpoint,
} from '@waymark/devnet/fabric';
import { WaymarkError } from '@waymark/protocol';
import type { Member } from '../membership/membership.ts';
import { broadcastTo, fetchConfigBlock } from './ordering-client.ts';

const UPDATE_TIMEOUT_MS = 90_000;
/** An orderer may lose what it took: another one is asked after this. */
const COMMIT_TIMEOUT_MS = 20_000;
const POLL_MS = 100;

/** What the configuration of a channel says. */
export interface ChannelDescription {
  /** Updates so far. */
  readonly sequence: number;
  /** Number of the block that it stands in. */
  readonly blockNumber: bigint;
  readonly organisations: readonly { readonly mspId: string; readonly anchorPeers: readonly Endpoint[] }[];
  readonly ordering: ConfiguredConsensus & {
    readonly organisations: readonly { readonly mspId: string; readonly endpoints: readonly string[] }[];
  };
}

/** The orderers of a channel with somebody who may read it. */
export interface ChannelOrderers {
  readonly channel: string;
  readonly clients: readonly Client[];
  readonly reader: Member;
}

/**
 * The configuration block in force: the newest that any orderer has, since one that has just come back may lag.
 *
 * @throws WaymarkError `unavailable` when no orderer answers
 */
export async function newestConfigBlock({ channel, clients, reader }: ChannelOrderers): Promise<common.Block> {
  const answers = await Promise.allSettled(clients.map((client) => fetchConfigBlock(client, reader, channel)));
  const blocks = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const [newest] = blocks.sort((left, right) => Number(numberOf(right) - numberOf(left)));
  if (newest === undefined) {
    throw new WaymarkError('unavailable', 'no orderer gives the configuration of the channel', {
      cause: answers.find((answer) => answer.status === 'rejected')?.reason,
    });
  }
  return newest;
}

export function describeConfig(block: common.Block): ChannelDescription {
  const { sequence, applicationOrganisations, ordererOrganisations, config } = parseConfigBlock(block);
  return {
    sequence,
    blockNumber: numberOf(block),
    organisations: applicationOrganisations.map(({ mspId, anchorPeers }) => ({ mspId, anchorPeers })),
    ordering: {
      ...consensusOf(config),
      organisations: ordererOrganisations.map(({ mspId, endpoints }) => ({ mspId, endpoints })),
    },
  };
}

/**
 * Changes the configuration of a running channel: what differs is signed by all signers and sent by the first of them, until it is
 * in force. A change that is in force already is done.
 *
 * @param change edits a copy of the configuration; applied to its own result it must change nothing
 * @returns the configuration in force
 * @throws WaymarkError `refused` when the signers do not satisfy the policies of what they change, `configuration-invalid` when the
 *   orderers find no configuration in it, `unavailable` when it is not in force in time
 */
export async function changeConfig(
  orderers: ChannelOrderers,
  change: ConfigChange,
  signers: readonly Member[],
): Promise<ChannelDescription> {
  const identities = signers.map((signer) => createSigningIdentity(signer));
  const deadline = Date.now() + UPDATE_TIMEOUT_MS;
  for (let attempt = 0; Date.now() < deadline; attempt += 1) {
    const block = await newestConfigBlock(orderers);
    const { channelId, config } = parseConfigBlock(block);
    const changed = config.clone();
    change(changed);
    const update = computeUpdate(channelId, groupOf(config), groupOf(changed));
    if (update === undefined) return describeConfig(block);
    const client = orderers.clients[attempt % orderers.clients.length];
    if (client === undefined) throw new WaymarkError('configuration-invalid', 'the channel has no orderers');
    if (await isAccepted(client, signUpdate(update, identities, Date.now()))) {
      await untilNewer(orderers, numberOf(block), Math.min(deadline, Date.now() + COMMIT_TIMEOUT_MS));
    } else await delay(POLL_MS);
  }
  throw new WaymarkError('unavailable', 'the configuration was not changed in time');
}

/** False when it may be tried again, with the configuration that is in force then. */
async function isAccepted(client: Client, envelope: common.Envelope): Promise<boolean> {
  const { status, info } = await broadcastTo(client, envelope).catch((error: unknown) => {
    if (error instanceof WaymarkError && error.code === 'unavailable') {
      return { status: common.Status.SERVICE_UNAVAILABLE, info: error.message };
    }
    throw error;
  });
  switch (status) {
    case common.Status.SUCCESS:
      return true;
    case common.Status.FORBIDDEN:
      throw new WaymarkError('refused', `the orderer refuses the change: ${info}`);
    case common.Status.BAD_REQUEST:
      // Somebody else's update came first.
      if (/but it is currently at version/.test(info)) return false;
      throw /policy for .* not satisfied|implicit policy evaluation failed/.test(info)
        ? new WaymarkError('refused', `the signers may not change this: ${info}`)
        : new WaymarkError('configuration-invalid', `the orderer refuses the change: ${info}`);
    default:
      return false;
  }
}

async function untilNewer(orderers: ChannelOrderers, blockNumber: bigint, deadline: number): Promise<void> {
  while (Date.now() < deadline) {
    if (numberOf(await newestConfigBlock(orderers)) > blockNumber) return;
    await delay(POLL_MS);
  }
}

function groupOf(config: common.Config): common.ConfigGroup {
  return config.getChannelGroup() ?? new common.ConfigGroup();
}

export function numberOf(block: common.Block): bigint {
  return BigInt(block.getHeader()?.getNumber() ?? 0);
}
