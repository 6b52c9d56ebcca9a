import { peer } from '@hyperledger/fabric-protos';
import type { MspRegistry, Identity } from '../msp/msp.ts';
import { REJECT_POLICY, validSigners, type Policy } from '../policy/policy.ts';
import { parseSignaturePolicy } from '../policy/signature-policy.ts';
import type { CommittedState } from './update-batch.ts';
import type { NamespacePolicies } from './namespace-policies.ts';
import type { ParsedNamespace } from './parsed-read-write-set.ts';
import type { EndorsedAction, TxValidationCode } from './parsed-transaction.ts';

const Code = peer.TxValidationCode;

/** Name of the metadata entry that holds a key's own endorsement policy. */
const VALIDATION_PARAMETER = 'VALIDATION_PARAMETER';

/**
 * Checks endorsements against the policies of the chaincodes written to and of the keys written (core/common/validation/
 * statebased, txvalidator/v20/plugindispatcher). One per block: it remembers which transactions changed key policies.
 */
export class EndorsementValidation {
  readonly #policies: NamespacePolicies;
  readonly #msps: MspRegistry;
  readonly #committed: (namespace: string, key: string) => CommittedState | undefined;
  /** Keys (namespace NUL key) whose policy was changed by an earlier transaction of this block that passed for the namespace. */
  readonly #changedPolicies = new Set<string>();

  constructor(
    policies: NamespacePolicies,
    msps: MspRegistry,
    committed: (namespace: string, key: string) => CommittedState | undefined,
  ) {
    this.#policies = policies;
    this.#msps = msps;
    this.#committed = committed;
  }

  /** To be called in block order. */
  async validate(action: EndorsedAction): Promise<TxValidationCode> {
    const signers = validSigners(action.endorsements, this.#msps);
    const passed: ParsedNamespace[] = [];
    let code: TxValidationCode = Code.VALID;
    for (const namespace of writtenNamespaces(action)) {
      const policy = await this.#policies.policyOf(namespace);
      if (policy === undefined) {
        code = Code.INVALID_CHAINCODE;
        break;
      }
      const set = action.namespaces.find((candidate) => candidate.namespace === namespace);
      if (!this.#satisfied(policy, namespace, set, signers)) {
        code = Code.ENDORSEMENT_POLICY_FAILURE;
        break;
      }
      if (set !== undefined) passed.push(set);
    }
    for (const { namespace, metadataWrites } of passed) {
      for (const { key } of metadataWrites) this.#changedPolicies.add(`${namespace}\u0000${key}`);
    }
    return code;
  }

  /** Each written key is under its own policy or, failing that, the chaincode's; the latter is checked if nothing else was. */
  #satisfied(
    chaincodePolicy: Policy,
    namespace: string,
    set: ParsedNamespace | undefined,
    signers: readonly Identity[],
  ): boolean {
    const keys = [...(set?.writes ?? []), ...(set?.metadataWrites ?? [])].map(({ key }) => key);
    let needsChaincodePolicy = keys.length === 0;
    for (const key of new Set(keys)) {
      if (this.#changedPolicies.has(`${namespace}\u0000${key}`)) return false;
      const keyPolicy = this.#committed(namespace, key)?.metadata?.get(VALIDATION_PARAMETER);
      if (keyPolicy === undefined || keyPolicy.length === 0) {
        needsChaincodePolicy = true;
      } else if (!compileKeyPolicy(keyPolicy).evaluate(signers)) {
        return false;
      }
    }
    return !needsChaincodePolicy || chaincodePolicy.evaluate(signers);
  }
}

/** The chaincode that was called counts as written to even if it wrote nothing. */
function writtenNamespaces(action: EndorsedAction): Set<string> {
  const written = action.namespaces.filter(({ writes, metadataWrites }) => writes.length + metadataWrites.length > 0);
  return new Set([action.chaincodeName, ...written.map(({ namespace }) => namespace)]);
}

/** Bytes that are no policy would stop a Fabric peer for good; here nobody satisfies them. */
function compileKeyPolicy(bytes: Uint8Array): Policy {
  try {
    return parseSignaturePolicy(bytes);
  } catch {
    return REJECT_POLICY;
  }
}
