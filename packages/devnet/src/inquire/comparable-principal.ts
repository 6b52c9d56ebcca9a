import { msp } from '@hyperledger/fabric-protos';

const { Classification } = msp.MSPPrincipal;
const { MEMBER } = msp.MSPRole.MSPRoleType;

/** A principal taken apart, so that two of them can be compared. */
export interface ComparablePrincipal {
  readonly principal: msp.MSPPrincipal;
  /** The same for equal principals, and for no others. */
  readonly key: string;
  readonly mspId: string;
  readonly kind:
    | { readonly role: msp.MSPRole.MSPRoleTypeMap[keyof msp.MSPRole.MSPRoleTypeMap] }
    | { readonly unit: string; readonly certifiers: Buffer }
    | { readonly identity: Buffer };
}

export function keyOf(principal: msp.MSPPrincipal): string {
  return `${principal.getPrincipalClassification()}:${principal.getPrincipal_asB64()}`;
}

/** Undefined for a principal that is no role, organisational unit or identity, or cannot be read. */
export function toComparable(principal: msp.MSPPrincipal): ComparablePrincipal | undefined {
  const bytes = principal.getPrincipal_asU8();
  const key = keyOf(principal);
  try {
    switch (principal.getPrincipalClassification()) {
      case Classification.ROLE: {
        const role = msp.MSPRole.deserializeBinary(bytes);
        return { principal, key, mspId: role.getMspIdentifier(), kind: { role: role.getRole() } };
      }
      case Classification.ORGANIZATION_UNIT: {
        const unit = msp.OrganizationUnit.deserializeBinary(bytes);
        const certifiers = Buffer.from(unit.getCertifiersIdentifier_asU8());
        const kind = { unit: unit.getOrganizationalUnitIdentifier(), certifiers };
        return { principal, key, mspId: unit.getMspIdentifier(), kind };
      }
      case Classification.IDENTITY: {
        const identity = msp.SerializedIdentity.deserializeBinary(bytes);
        const kind = { identity: Buffer.from(identity.getIdBytes_asU8()) };
        return { principal, key, mspId: identity.getMspid(), kind };
      }
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}

/**
 * Whether everyone who satisfies the first principal is known to satisfy the second as well: everyone of an organisation
 * is its member; beyond that only like goes with like (Fabric: common/policies/inquire/compare.go).
 */
export function isA({ mspId, kind }: ComparablePrincipal, other: ComparablePrincipal): boolean {
  if (mspId !== other.mspId) return false;
  if ('role' in other.kind && other.kind.role === MEMBER) return true;
  if ('role' in kind) return 'role' in other.kind && kind.role === other.kind.role;
  if ('unit' in kind) {
    return 'unit' in other.kind && kind.unit === other.kind.unit && kind.certifiers.equals(other.kind.certifiers);
  }
  return 'identity' in other.kind && kind.identity.equals(other.kind.identity);
}
