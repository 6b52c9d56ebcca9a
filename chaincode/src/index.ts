/**
 * The `waymark` chaincode. Its contracts, by name: `participants` (who is who) and `evidence` (what was recorded), the latter
 * also without its name. Fabric's `Init` is not used.
 */
import { EvidenceContract } from './evidence/contract.ts';
import { ParticipantsContract } from './participants/contract.ts';

export const contracts = [ParticipantsContract, EvidenceContract];
