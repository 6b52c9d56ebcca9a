import { createRequire } from 'node:module';
import type * as FabricNetwork from 'fabric-network';

/**
 * Loads fabric-network. Its logger would write every refusal to stderr, with more than belongs in a log; errors reach the
 * caller anyway. HFC_LOGGING, which it reads when it is loaded, says otherwise.
 */
export function loadFabricNetwork(): typeof FabricNetwork {
  process.env['HFC_LOGGING'] ??= '{}';
  return createRequire(import.meta.url)('fabric-network') as typeof FabricNetwork;
}
