import type { Resource } from '../access/channel-access.ts';
import type { SystemChaincode } from '../endorser/endorser.ts';
import type { UnpackedProposal } from '../endorser/proposal.ts';
import type { TxSimulator } from '../simulation/tx-simulator.ts';
import { textArgument, type SystemChaincodeContext } from './context.ts';
import {
  checkCommitReadiness,
  queryApprovedChaincodeDefinition,
  queryApprovedChaincodeDefinitions,
  queryChaincodeDefinition,
  queryChaincodeDefinitions,
  queryInstalledChaincode,
  queryInstalledChaincodes,
} from './lifecycle-queries.ts';
import { SystemCallFailed, checked, respond } from './system-response.ts';

type Call = (
  context: SystemChaincodeContext,
  args: Uint8Array,
  simulator: TxSimulator | undefined,
  txId: string,
) => Promise<Uint8Array>;
type Query = { readonly access: Resource | 'Admins'; readonly run: Call };

const QUERIES: Readonly<Record<string, Query>> = {
  QueryChaincodeDefinition: {
    access: '_lifecycle/QueryChaincodeDefinition',
    run: (context, args, simulator) => queryChaincodeDefinition(context, onChannel(simulator), args),
  },
  QueryChaincodeDefinitions: {
    access: '_lifecycle/QueryChaincodeDefinitions',
    run: (_context, args, simulator) => queryChaincodeDefinitions(onChannel(simulator), args),
  },
  CheckCommitReadiness: {
    access: '_lifecycle/CheckCommitReadiness',
    run: (context, args, simulator) => checkCommitReadiness(context, onChannel(simulator), args),
  },
  QueryApprovedChaincodeDefinition: {
    access: 'Admins',
    run: (context, args, simulator, txId) => queryApprovedChaincodeDefinition(context, txId, simulator, args),
  },
  QueryApprovedChaincodeDefinitions: {
    access: 'Admins',
    run: (context, args, simulator) => queryApprovedChaincodeDefinitions(context, onChannel(simulator), args),
  },
  QueryInstalledChaincode: { access: 'Admins', run: (context, args) => queryInstalledChaincode(context, args) },
  QueryInstalledChaincodes: { access: 'Admins', run: (context, args) => queryInstalledChaincodes(context, args) },
};

/** Functions of Fabric's that change something, or need the organisations' private collections. */
const NOT_SUPPORTED: ReadonlySet<string> = new Set([
  'InstallChaincode',
  'GetInstalledChaincodePackage',
  'ApproveChaincodeDefinitionForMyOrg',
  'CommitChaincodeDefinition',
]);

/** The chaincode definitions of the channel, to be read (Fabric: core/chaincode/lifecycle/scc.go): function, message. */
export function createLifecycle(context: SystemChaincodeContext): SystemChaincode {
  return {
    readsState: true,
    execute: (proposal, simulator) => respond(proposal.input, () => dispatch(context, proposal, simulator)),
  };
}

async function dispatch(
  context: SystemChaincodeContext,
  proposal: UnpackedProposal,
  simulator: TxSimulator | undefined,
): Promise<Uint8Array> {
  const args = proposal.input.getArgsList_asU8();
  if (args.length === 0) throw new SystemCallFailed('lifecycle scc must be invoked with arguments');
  if (args.length !== 2) {
    throw new SystemCallFailed(`lifecycle scc operations require exactly two arguments but received ${args.length}`);
  }
  const name = textArgument(proposal.input, 0);
  if (NOT_SUPPORTED.has(name)) {
    throw new SystemCallFailed(
      `UNIMPLEMENTED: _lifecycle ${name} is not supported by devnet: chaincodes are defined when it starts`,
    );
  }
  const found = Object.hasOwn(QUERIES, name) ? QUERIES[name] : undefined;
  checked(
    () => checkAccess(context, found, name, proposal),
    (reason) => `Failed to authorize invocation due to failed ACL check: ${reason}`,
  );
  try {
    return (await found?.run(context, args[1] ?? new Uint8Array(), simulator, proposal.txId)) ?? new Uint8Array();
  } catch (error) {
    if (error instanceof SystemCallFailed && error.status !== 500) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new SystemCallFailed(`failed to invoke backing implementation of '${name}': ${reason}`);
  }
}

function checkAccess(
  context: SystemChaincodeContext,
  query: Query | undefined,
  name: string,
  proposal: UnpackedProposal,
): void {
  if (query === undefined) throw new Error(`Unmapped policy for _lifecycle/${name}`);
  if (query.access === 'Admins') {
    context.checkLocalAccess('Admins', proposal);
    return;
  }
  if (proposal.channelId === '') {
    context.checkLocalAccess('/Channel/Application/Writers', proposal);
    return;
  }
  context.checkChannelAccess(query.access, proposal);
}

function onChannel(simulator: TxSimulator | undefined): TxSimulator {
  if (simulator === undefined) throw new SystemCallFailed('the query needs a channel');
  return simulator;
}
