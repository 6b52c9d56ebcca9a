import { common, peer } from '@hyperledger/fabric-protos';
import { DevnetError } from '../errors.ts';
import { createCommitNotifier } from '../gateway/commit-notifier.ts';
import type { PeerLedger } from '../ledger/ledger.ts';
import {
  channelPolicyReference,
  readDefinition,
  signaturePolicy,
  type ChaincodeDefinition,
} from '../lifecycle/chaincode-definition.ts';
import type { SigningIdentity } from '../msp/msp.ts';
import type { OrderingService } from '../orderer/index.ts';
import { signaturePolicyFromString } from '../policy/policy-dsl.ts';
import { buildCommitDefinition } from './lifecycle-transaction.ts';
import type { ChaincodeOptions } from './options.ts';

const CHAINCODE_NAME = /^[a-zA-Z0-9]+([-_][a-zA-Z0-9]+)*$/;
const CHAINCODE_VERSION = /^[A-Za-z0-9_.+-]+$/;

/** Throws DevnetError OPTIONS_INVALID or POLICY_INVALID. */
export function definitionOf(options: ChaincodeOptions): ChaincodeDefinition {
  const { name, version = '1.0', sequence = 1, endorsementPolicy } = options;
  const invalid = (message: string) => new DevnetError('OPTIONS_INVALID', message);
  if (!CHAINCODE_NAME.test(name)) throw invalid(`chaincode name '${name}' must match ${CHAINCODE_NAME.source}`);
  if (!CHAINCODE_VERSION.test(version)) throw invalid(`chaincode version '${version}' is not valid`);
  if (!Number.isSafeInteger(sequence) || sequence < 1) throw invalid(`the sequence of ${name} must be 1 or more`);
  return {
    name,
    version,
    sequence,
    endorsementPolicy:
      endorsementPolicy === undefined || endorsementPolicy.startsWith('/')
        ? channelPolicyReference(endorsementPolicy)
        : signaturePolicy(signaturePolicyFromString(endorsementPolicy)),
  };
}

/**
 * Brings the channel's definitions to what is wanted: commits those that are missing or one sequence behind. Throws
 * DevnetError DEFINITION_REFUSED when the channel has another definition at the same sequence, or a gap lies between.
 */
export async function commitDefinitions(params: {
  readonly wanted: readonly ChaincodeDefinition[];
  readonly ledger: PeerLedger;
  readonly ordering: Pick<OrderingService, 'broadcast'>;
  readonly submitter: SigningIdentity;
  readonly endorsers: readonly SigningIdentity[];
  readonly nowMs: () => number;
}): Promise<void> {
  const { ledger, ordering } = params;
  const missing = await missingDefinitions(params.wanted, ledger);
  if (missing.length === 0) return;
  const notifier = createCommitNotifier(ledger);
  try {
    await Promise.all(
      missing.map(async (definition) => {
        const { txId, envelope } = await buildCommitDefinition({ ...params, definition, nowMs: params.nowMs() });
        const listening = notifier.wait(txId);
        const answer = await ordering.broadcast(envelope);
        if (answer.status !== common.Status.SUCCESS) {
          listening.stop();
          throw refused(definition, `the orderer answered ${answer.status}: ${answer.info}`);
        }
        const { validationCode } = await listening.committed;
        if (validationCode !== peer.TxValidationCode.VALID) {
          throw refused(definition, `its transaction was committed with validation code ${validationCode}`);
        }
      }),
    );
  } finally {
    notifier.close();
  }
}

async function missingDefinitions(
  wanted: readonly ChaincodeDefinition[],
  ledger: PeerLedger,
): Promise<ChaincodeDefinition[]> {
  const snapshot = await ledger.snapshot();
  try {
    const missing: ChaincodeDefinition[] = [];
    for (const definition of wanted) {
      const existing = await readDefinition(snapshot, definition.name);
      const sequence = existing?.sequence ?? 0;
      if (definition.sequence === sequence + 1) missing.push(definition);
      else if (existing === undefined || definition.sequence !== sequence) {
        throw refused(definition, `the channel is at sequence ${sequence}, the next one is ${sequence + 1}`);
      } else if (!isSame(existing, definition)) {
        throw refused(definition, `the channel has another version or policy at this sequence; use ${sequence + 1}`);
      }
    }
    return missing;
  } finally {
    snapshot.release();
  }
}

function isSame(a: ChaincodeDefinition, b: ChaincodeDefinition): boolean {
  const policy = (definition: ChaincodeDefinition) => definition.endorsementPolicy.serializeBinary();
  return a.version === b.version && Buffer.compare(policy(a), policy(b)) === 0;
}

function refused(definition: ChaincodeDefinition, reason: string): DevnetError {
  return new DevnetError(
    'DEFINITION_REFUSED',
    `chaincode ${definition.name}, sequence ${definition.sequence}: ${reason}`,
  );
}
