import { peer } from '@hyperledger/fabric-protos';
import {
  LIFECYCLE_NAMESPACE,
  METADATA_RANGE,
  metadataKey,
  nameOfMetadataKey,
  readDefinition,
  sequenceKey,
  type ChaincodeDefinition,
} from '../lifecycle/chaincode-definition.ts';
import type { TxSimulator } from '../simulation/tx-simulator.ts';
import type { SystemChaincodeContext } from './context.ts';
import { SystemCallFailed, notFound } from './system-response.ts';

const { lifecycle } = peer;
type DefinitionFields = Pick<
  peer.lifecycle.QueryChaincodeDefinitionResult,
  | 'setSequence'
  | 'setVersion'
  | 'setEndorsementPlugin'
  | 'setValidationPlugin'
  | 'setValidationParameter'
  | 'setInitRequired'
  | 'setCollections'
>;

/** Every organisation of the channel counts as having approved: devnet takes approvals for granted. */
export async function queryChaincodeDefinition(
  context: SystemChaincodeContext,
  simulator: TxSimulator,
  args: Uint8Array,
): Promise<Uint8Array> {
  const name = decodeArguments('QueryChaincodeDefinition', lifecycle.QueryChaincodeDefinitionArgs, args).getName();
  const definition = await definitionOf(simulator, name);
  if (definition === undefined) throw notFound(`namespace ${name} is not defined`);
  const result = new lifecycle.QueryChaincodeDefinitionResult();
  fill(result, definition);
  for (const { mspId } of context.ledger.channelConfig.applicationOrganisations) {
    result.getApprovalsMap().set(mspId, true);
  }
  return result.serializeBinary();
}

export async function queryChaincodeDefinitions(simulator: TxSimulator, args: Uint8Array): Promise<Uint8Array> {
  decodeArguments('QueryChaincodeDefinitions', lifecycle.QueryChaincodeDefinitionsArgs, args);
  const result = new lifecycle.QueryChaincodeDefinitionsResult();
  for (const definition of await allDefinitions(simulator)) {
    const entry = new lifecycle.QueryChaincodeDefinitionsResult.ChaincodeDefinition();
    entry.setName(definition.name);
    fill(entry, definition);
    result.addChaincodeDefinitions(entry);
  }
  return result.serializeBinary();
}

/** Without a channel there is no simulator, and nothing can be read. */
export async function queryApprovedChaincodeDefinition(
  context: SystemChaincodeContext,
  txId: string,
  simulator: TxSimulator | undefined,
  args: Uint8Array,
): Promise<Uint8Array> {
  const query = decodeArguments(
    'QueryApprovedChaincodeDefinition',
    lifecycle.QueryApprovedChaincodeDefinitionArgs,
    args,
  );
  const name = query.getName();
  if (simulator === undefined) {
    const metadata = `${name}#${query.getSequence()}`;
    const reading =
      query.getSequence() === 0
        ? `could not get current sequence: could not get state for key ${sequenceKey(name)}`
        : `could not deserialize namespace metadata for ${metadata}: could not query metadata for namespace namespaces/${metadata}`;
    throw new SystemCallFailed(`${reading}: GET_STATE failed: transaction ID: ${txId}: no ledger context`);
  }
  const definition = await definitionOf(simulator, name);
  const sequence = query.getSequence() === 0 ? (definition?.sequence ?? 0) : query.getSequence();
  if (definition === undefined || definition.sequence !== sequence) {
    throw new SystemCallFailed(
      `could not fetch approved chaincode definition (name: '${name}', sequence: '${sequence}') on channel '${context.ledger.channelId}'`,
    );
  }
  const result = new lifecycle.QueryApprovedChaincodeDefinitionResult();
  fill(result, definition);
  result.setSource(sourceOf(context, name));
  return result.serializeBinary();
}

export async function queryApprovedChaincodeDefinitions(
  context: SystemChaincodeContext,
  simulator: TxSimulator,
  args: Uint8Array,
): Promise<Uint8Array> {
  decodeArguments('QueryApprovedChaincodeDefinitions', lifecycle.QueryApprovedChaincodeDefinitionsArgs, args);
  const result = new lifecycle.QueryApprovedChaincodeDefinitionsResult();
  for (const definition of await allDefinitions(simulator)) {
    const entry = new lifecycle.QueryApprovedChaincodeDefinitionsResult.ApprovedChaincodeDefinition();
    entry.setName(definition.name);
    fill(entry, definition);
    entry.setSource(sourceOf(context, definition.name));
    result.addApprovedChaincodeDefinitions(entry);
  }
  return result.serializeBinary();
}

/** Nobody approves of a definition before devnet commits it, so the next one is not ready as long as it is only the next one. */
export async function checkCommitReadiness(
  context: SystemChaincodeContext,
  simulator: TxSimulator,
  args: Uint8Array,
): Promise<Uint8Array> {
  const query = decodeArguments('CheckCommitReadiness', lifecycle.CheckCommitReadinessArgs, args);
  const stored = await simulator.getState(LIFECYCLE_NAMESPACE, sequenceKey(query.getName()));
  const sequence = stored === undefined ? 0 : lifecycle.StateData.deserializeBinary(stored.value).getInt64();
  if (query.getSequence() !== sequence + 1) {
    throw new SystemCallFailed(
      `requested sequence is ${query.getSequence()}, but new definition must be sequence ${sequence + 1}`,
    );
  }
  const result = new lifecycle.CheckCommitReadinessResult();
  for (const { mspId } of context.ledger.channelConfig.applicationOrganisations) {
    const mismatches = new lifecycle.CheckCommitReadinessResult.Mismatches();
    mismatches.setItemsList(['ChaincodeParameters']);
    result.getApprovalsMap().set(mspId, false);
    result.getMismatchesMap().set(mspId, mismatches);
  }
  return result.serializeBinary();
}

/** Packages of chaincodes that have registered with this peer, with the definitions that use them. */
export async function queryInstalledChaincodes(context: SystemChaincodeContext, args: Uint8Array): Promise<Uint8Array> {
  decodeArguments('QueryInstalledChaincodes', lifecycle.QueryInstalledChaincodesArgs, args);
  const { QueryInstalledChaincodesResult: Result } = lifecycle;
  const result = new Result();
  for (const [packageId, chaincodes] of await installedPackages(context)) {
    const entry = new Result.InstalledChaincode();
    entry.setPackageId(packageId);
    entry.setLabel(labelOf(packageId));
    if (chaincodes.length > 0) {
      const references = new Result.References();
      references.setChaincodesList(chaincodes.map((chaincode) => named(new Result.Chaincode(), chaincode)));
      entry.getReferencesMap().set(context.ledger.channelId, references);
    }
    result.addInstalledChaincodes(entry);
  }
  return result.serializeBinary();
}

export async function queryInstalledChaincode(context: SystemChaincodeContext, args: Uint8Array): Promise<Uint8Array> {
  const packageId = decodeArguments(
    'QueryInstalledChaincode',
    lifecycle.QueryInstalledChaincodeArgs,
    args,
  ).getPackageId();
  const chaincodes = (await installedPackages(context)).get(packageId);
  if (chaincodes === undefined) throw new SystemCallFailed(`could not find chaincode with package id '${packageId}'`);
  const { QueryInstalledChaincodeResult: Result } = lifecycle;
  const result = new Result();
  result.setPackageId(packageId);
  result.setLabel(labelOf(packageId));
  if (chaincodes.length > 0) {
    const references = new Result.References();
    references.setChaincodesList(chaincodes.map((chaincode) => named(new Result.Chaincode(), chaincode)));
    result.getReferencesMap().set(context.ledger.channelId, references);
  }
  return result.serializeBinary();
}

/** Both answers name chaincodes alike, in message types of their own. */
function named<T extends { setName(name: string): unknown; setVersion(version: string): unknown }>(
  message: T,
  { name, version }: ChaincodeDefinition,
): T {
  message.setName(name);
  message.setVersion(version);
  return message;
}

async function installedPackages(context: SystemChaincodeContext): Promise<Map<string, ChaincodeDefinition[]>> {
  const packages = new Map<string, ChaincodeDefinition[]>();
  const snapshot = await context.ledger.snapshot();
  try {
    for (const { name, packageId } of context.installed()) {
      if (packageId === undefined) continue;
      const chaincodes = packages.get(packageId) ?? [];
      const definition = await readDefinition(snapshot, name);
      if (definition !== undefined) chaincodes.push(definition);
      packages.set(packageId, chaincodes);
    }
  } finally {
    snapshot.release();
  }
  return packages;
}

/** A package id is a label and a hash. */
function labelOf(packageId: string): string {
  const colon = packageId.lastIndexOf(':');
  return colon < 0 ? packageId : packageId.slice(0, colon);
}

function sourceOf(context: SystemChaincodeContext, name: string): peer.lifecycle.ChaincodeSource {
  const source = new lifecycle.ChaincodeSource();
  const packageId = context.installed().find((chaincode) => chaincode.name === name)?.packageId;
  if (packageId === undefined) {
    source.setUnavailable(new lifecycle.ChaincodeSource.Unavailable());
  } else {
    const local = new lifecycle.ChaincodeSource.Local();
    local.setPackageId(packageId);
    source.setLocalPackage(local);
  }
  return source;
}

async function allDefinitions(simulator: TxSimulator): Promise<ChaincodeDefinition[]> {
  const names: string[] = [];
  const entries = simulator.rangeQuery(LIFECYCLE_NAMESPACE, METADATA_RANGE.start, METADATA_RANGE.end);
  for (let entry = await entries.next(); entry !== undefined; entry = await entries.next()) {
    names.push(nameOfMetadataKey(entry.key));
  }
  const definitions: ChaincodeDefinition[] = [];
  for (const name of names) {
    const definition = await definitionOf(simulator, name);
    if (definition !== undefined) definitions.push(definition);
  }
  return definitions;
}

async function definitionOf(simulator: TxSimulator, name: string): Promise<ChaincodeDefinition | undefined> {
  const metadata = await simulator.getState(LIFECYCLE_NAMESPACE, metadataKey(name));
  if (metadata === undefined) return undefined;
  return readDefinition({ get: (namespace, key) => simulator.getState(namespace, key) }, name);
}

function fill(target: DefinitionFields, definition: ChaincodeDefinition): void {
  target.setSequence(definition.sequence);
  target.setVersion(definition.version);
  target.setEndorsementPlugin('escc');
  target.setValidationPlugin('vscc');
  target.setValidationParameter(definition.endorsementPolicy.serializeBinary());
  target.setInitRequired(false);
  target.setCollections(new peer.CollectionConfigPackage());
}

function decodeArguments<T>(name: string, type: { deserializeBinary(bytes: Uint8Array): T }, bytes: Uint8Array): T {
  try {
    return type.deserializeBinary(bytes);
  } catch (cause) {
    throw new Error(
      `could not decode input arg for *lifecycle.Invocation.${name}: proto: cannot parse invalid wire-format data`,
      { cause },
    );
  }
}
