/** Fabric's NodeOU roles. */
export type NodeRole = 'admin' | 'client' | 'peer' | 'orderer';

/** An identity whose certificate chains to a CA of its MSP. */
export interface Identity {
  readonly mspId: string;
  /** `msp.SerializedIdentity` bytes, as found on the wire. */
  readonly serialized: Uint8Array;
  readonly certificatePem: string;
  readonly role: NodeRole | undefined;
  /** ECDSA P-256 over SHA-256, DER, low-S only. */
  verify(message: Uint8Array, signature: Uint8Array): boolean;
  /** Common name of the certificate. */
  readonly commonName: string;
  readonly notAfterMs: number;
  /** SHA-256 of the certificate (DER), hexadecimal: what makes two identities of an MSP the same. */
  readonly fingerprint: string;
  /** The admin NodeOU, or listed as administrator in the MSP's definition. */
  readonly isAdmin: boolean;
  /** All organisational units of the certificate, NodeOUs among them. */
  readonly organizationalUnits: readonly string[];
  /** Fabric's hash over the issuing CAs' certificates, for organisational-unit principals. */
  readonly certifiersIdentifier: Uint8Array;
}

/** An identity with its private key. */
export interface SigningIdentity {
  readonly mspId: string;
  readonly serialized: Uint8Array;
  /** DER signature, low-S, over SHA-256 of the message. */
  sign(message: Uint8Array): Uint8Array;
}

/** All MSPs of a channel. */
export interface MspRegistry {
  readonly mspIds: readonly string[];
  /** Throws (a plain Error whose text is Fabric's) when the identity is not valid for its MSP (expiry is not checked here, as in Fabric). */
  deserialize(serialized: Uint8Array): Identity;
}
