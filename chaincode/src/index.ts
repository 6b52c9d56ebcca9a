/**
 * The `waymark` chaincode. Its contracts, by name: `participants` (who is who), `evidence` (what was recorded), also without its name,
 * and `anchors` (private ledgers). Fabric's `Init` is not used.
 */
import { AnchorsContract } from './anchors/contract.ts';
import { EvidenceContract } from './evidence/contract.ts';
import { ParticipantsContract } from './participants/contract.ts';

export const contracts = [ParticipantsContract, EvidenceContract, AnchorsContract];
