import { msp } from '@hyperledger/fabric-protos';
import { DevnetError } from '../errors.ts';
import type { Identity, NodeRole } from './msp.ts';

/** Does an identity satisfy the principal? The identity is already known to be valid in its MSP. */
export type PrincipalMatcher = (identity: Identity) => boolean;

const NODE_ROLES: ReadonlyMap<number, NodeRole> = new Map([
  [msp.MSPRole.MSPRoleType.CLIENT, 'client'],
  [msp.MSPRole.MSPRoleType.PEER, 'peer'],
  [msp.MSPRole.MSPRoleType.ORDERER, 'orderer'],
]);

/**
 * Reads an `MSPPrincipal` once, to be matched often (Fabric: msp/mspimpl.go, satisfiesPrincipalInternalV143).
 * Throws DevnetError POLICY_INVALID when it cannot be read.
 */
export function compilePrincipal(principal: msp.MSPPrincipal): PrincipalMatcher {
  const bytes = principal.getPrincipal_asU8();
  const { Classification } = msp.MSPPrincipal;
  try {
    switch (principal.getPrincipalClassification()) {
      case Classification.ROLE:
        return compileRole(msp.MSPRole.deserializeBinary(bytes));
      case Classification.ORGANIZATION_UNIT:
        return compileOrganizationUnit(msp.OrganizationUnit.deserializeBinary(bytes));
      case Classification.IDENTITY:
        return compileIdentity(msp.SerializedIdentity.deserializeBinary(bytes));
      case Classification.ANONYMITY:
        return compileAnonymity(msp.MSPIdentityAnonymity.deserializeBinary(bytes));
      case Classification.COMBINED:
        return compileCombined(msp.CombinedPrincipal.deserializeBinary(bytes));
    }
  } catch (cause) {
    if (cause instanceof DevnetError) throw cause;
    throw new DevnetError('POLICY_INVALID', 'a principal cannot be read', { cause });
  }
  throw new DevnetError('POLICY_INVALID', 'invalid principal type');
}

function compileRole(role: msp.MSPRole): PrincipalMatcher {
  const mspId = role.getMspIdentifier();
  const type = role.getRole();
  if (type === msp.MSPRole.MSPRoleType.MEMBER) return (identity) => identity.mspId === mspId;
  if (type === msp.MSPRole.MSPRoleType.ADMIN) return (identity) => identity.mspId === mspId && identity.isAdmin;
  const nodeRole = NODE_ROLES.get(type);
  if (nodeRole === undefined) throw new DevnetError('POLICY_INVALID', 'invalid MSP role type');
  return (identity) => identity.mspId === mspId && identity.role === nodeRole;
}

function compileOrganizationUnit(unit: msp.OrganizationUnit): PrincipalMatcher {
  const mspId = unit.getMspIdentifier();
  const name = unit.getOrganizationalUnitIdentifier();
  const certifiers = Buffer.from(unit.getCertifiersIdentifier_asU8());
  return (identity) =>
    identity.mspId === mspId &&
    identity.organizationalUnits.includes(name) &&
    certifiers.equals(identity.certifiersIdentifier);
}

function compileIdentity(expected: msp.SerializedIdentity): PrincipalMatcher {
  const mspId = expected.getMspid();
  const certificate = pemBody(Buffer.from(expected.getIdBytes_asU8()).toString('utf8'));
  return (identity) => identity.mspId === mspId && pemBody(identity.certificatePem) === certificate;
}

function compileAnonymity(anonymity: msp.MSPIdentityAnonymity): PrincipalMatcher {
  const nominal = anonymity.getAnonymityType() === msp.MSPIdentityAnonymity.MSPIdentityAnonymityType.NOMINAL;
  return () => nominal;
}

function compileCombined(combined: msp.CombinedPrincipal): PrincipalMatcher {
  const parts = combined.getPrincipalsList().map(compilePrincipal);
  if (parts.length === 0) throw new DevnetError('POLICY_INVALID', 'No principals in CombinedPrincipal');
  return (identity) => parts.every((matches) => matches(identity));
}

function pemBody(pem: string): string {
  return pem.replace(/-----[^-]+-----/g, '').replace(/\s/g, '');
}
