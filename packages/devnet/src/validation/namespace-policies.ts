import type { ChannelConfig } from '../config/channel-config.ts';
import { LIFECYCLE_NAMESPACE, readDefinition, type ChaincodeDefinition } from '../lifecycle/chaincode-definition.ts';
import type { StateSnapshot } from '../ledger/ledger.ts';
import { compileApplicationPolicy } from '../policy/application-policy.ts';
import { REJECT_POLICY, type Policy } from '../policy/policy.ts';

const LIFECYCLE_POLICY = '/Channel/Application/LifecycleEndorsement';

/** The endorsement policy in force for a namespace; undefined when no chaincode of that name is defined. */
export interface NamespacePolicies {
  policyOf(namespace: string): Promise<Policy | undefined>;
}

/**
 * Policies by the definitions that are committed, remembered until {@link CommittedNamespacePolicies.forget} is called: after
 * a block that changed a definition or the channel's configuration.
 */
export class CommittedNamespacePolicies implements NamespacePolicies {
  readonly #state: Pick<StateSnapshot, 'get'>;
  readonly #config: () => ChannelConfig;
  #known = new Map<string, Policy | undefined>();

  constructor(state: Pick<StateSnapshot, 'get'>, config: () => ChannelConfig) {
    this.#state = state;
    this.#config = config;
  }

  async policyOf(namespace: string): Promise<Policy | undefined> {
    if (this.#known.has(namespace)) return this.#known.get(namespace);
    const policy = await this.#read(namespace);
    this.#known.set(namespace, policy);
    return policy;
  }

  forget(): void {
    this.#known = new Map();
  }

  async #read(namespace: string): Promise<Policy | undefined> {
    const config = this.#config();
    if (namespace === LIFECYCLE_NAMESPACE) return config.policy(LIFECYCLE_POLICY);
    const definition = await readDefinition(this.#state, namespace);
    return definition === undefined ? undefined : compile(definition, config);
  }
}

/** A policy that cannot be understood is satisfied by nobody. */
function compile(definition: ChaincodeDefinition, config: ChannelConfig): Policy | undefined {
  if (definition.endorsementPolicy.serializeBinary().length === 0) return undefined;
  try {
    return compileApplicationPolicy(definition.endorsementPolicy, (path) => config.policy(path));
  } catch {
    return REJECT_POLICY;
  }
}
