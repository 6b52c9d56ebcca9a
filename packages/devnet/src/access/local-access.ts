import type { Identity, MspRegistry } from '../msp/msp.ts';

/**
 * Rules over a peer's own organisation, for what concerns no channel (Fabric: core/aclmgmt/defaultaclprovider.go). Policies of
 * channels are none of them: who asks for one without a channel is refused.
 */
export type LocalPolicy = 'Admins' | 'Members' | '/Channel/Application/Readers' | '/Channel/Application/Writers';

/**
 * The MSP of the peer's own organisation alone: what a peer judges requests without a channel by. It follows the channel's
 * definition of that MSP, so a revocation counts here as well.
 */
export function createLocalMsps(mspId: string, channelMsps: () => MspRegistry): MspRegistry {
  return {
    mspIds: [mspId],
    deserialize: (serialized) => {
      const identity = channelMsps().deserialize(serialized);
      if (identity.mspId !== mspId) throw new Error(`expected MSP ID ${mspId}, received ${identity.mspId}`);
      return identity;
    },
  };
}

/**
 * Throws a plain Error with Fabric's text when the creator of a proposal is not what the rule asks for (core/policy/policy.go,
 * CheckPolicyNoChannel). The proposal's signature was checked before.
 */
export function checkLocalAccess(msps: MspRegistry, policy: LocalPolicy, creator: Uint8Array): void {
  let identity: Identity;
  try {
    identity = msps.deserialize(creator);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `Failed deserializing proposal creator during channelless check policy with policy [${policy}]: [${reason}]`,
      { cause },
    );
  }
  if (policy !== 'Members' && policy !== 'Admins') {
    throw new Error(
      `Failed getting local MSP principal during channelless check policy with policy [${policy}]: [MSP Principal role [${policy}] not recognized]`,
    );
  }
  if (policy === 'Members' || identity.isAdmin) return;
  const { mspId } = identity;
  throw new Error(
    `Failed verifying that proposal's creator satisfies local MSP principal during channelless check policy with policy [${policy}]: ` +
      `[The identity is not an admin under this MSP [${mspId}]: The identity does not contain OU [ADMIN], MSP: [${mspId}]]`,
  );
}
