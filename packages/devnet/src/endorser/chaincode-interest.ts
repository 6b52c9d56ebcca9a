import { common, peer } from '@hyperledger/fabric-protos';
import type { SimulationResults } from '../simulation/tx-simulator.ts';
import { SYSTEM_CHAINCODES } from '../shim/chaincode-support.ts';

const VALIDATION_PARAMETER = 'VALIDATION_PARAMETER';

/**
 * Which policies the transaction must satisfy, for whoever plans its endorsement (Fabric: core/endorser/endorser.go,
 * buildChaincodeInterest): the key-level policies of the written keys, and the chaincode's own unless every written key
 * has one.
 */
export function buildChaincodeInterest(results: SimulationResults): peer.ChaincodeInterest {
  const calls: peer.ChaincodeCall[] = [];
  for (const namespace of results.namespaces) {
    if (SYSTEM_CHAINCODES.has(namespace)) continue;
    const writes = [...(results.writtenMetadata.get(namespace)?.values() ?? [])];
    const keyPolicies = writes
      .map((metadata) => metadata.get(VALIDATION_PARAMETER))
      .filter((policy) => policy !== undefined);
    const chaincodePolicyNeeded = writes.length === 0 || keyPolicies.length < writes.length;
    const call = new peer.ChaincodeCall();
    call.setName(namespace);
    call.setKeyPoliciesList(keyPolicies.map((bytes) => common.SignaturePolicyEnvelope.deserializeBinary(bytes)));
    call.setDisregardNamespacePolicy(!chaincodePolicyNeeded);
    calls.push(call);
  }
  const interest = new peer.ChaincodeInterest();
  interest.setChaincodesList(calls);
  return interest;
}
