import { X509Certificate } from 'node:crypto';
import { msp } from '@hyperledger/fabric-protos';
import { DevnetError, messageOf } from '../errors.ts';
import { BoundedCache } from './bounded-cache.ts';
import { fingerprintOf } from './certificate-fingerprint.ts';
import { validityOf } from './certificate-validity.ts';
import { InvalidIdentity } from './invalid-identity.ts';
import type { Identity, MspRegistry } from './msp.ts';
import { verifyLowS } from './signature-verification.ts';
import { X509Msp } from './x509-msp.ts';

const CACHED_IDENTITIES = 2_000;
const RECENT_IDENTITIES = 8;
/** Real ones have about a kilobyte; strangers may send any size. */
const MAX_CACHED_IDENTITY_BYTES = 16 * 1024;
/** Fabric's number for X.509 membership (msp/msp.go: FABRIC); the other one is idemix. */
const FABRIC_MSP_TYPE = 0;

type Outcome = { readonly identity: Identity } | { readonly reason: string; readonly mspId: string | undefined };

/** Builds the MSPs of a channel. Throws DevnetError MSP_INVALID (a definition Fabric would refuse) or UNSUPPORTED (idemix). */
export function createMspRegistry(configs: readonly msp.MSPConfig[]): MspRegistry {
  const msps = new Map<string, X509Msp>();
  for (const config of configs) {
    if (config.getType() !== FABRIC_MSP_TYPE) throw new DevnetError('UNSUPPORTED', 'idemix MSPs are not supported');
    const definition = new X509Msp(msp.FabricMSPConfig.deserializeBinary(config.getConfig_asU8()));
    msps.set(definition.mspId, definition);
  }
  const outcomes = new BoundedCache<Outcome>(CACHED_IDENTITIES);
  const recent = new RecentOutcomes();
  return {
    mspIds: [...msps.keys()],
    deserialize: (serialized) => {
      if (serialized.length > MAX_CACHED_IDENTITY_BYTES) return identityOf(judge(msps, serialized.slice()));
      const last = recent.find(serialized);
      if (last !== undefined) return identityOf(last);
      const key = Buffer.from(serialized.buffer, serialized.byteOffset, serialized.length).toString('latin1');
      let outcome = outcomes.get(key);
      if (outcome === undefined) {
        outcome = judge(msps, serialized.slice());
        outcomes.set(key, outcome);
      }
      recent.add(serialized.slice(), outcome);
      return identityOf(outcome);
    },
  };
}

/** The few identities that nearly everything is signed by: comparing their bytes costs less than looking them up by name. */
class RecentOutcomes {
  readonly #entries: { readonly serialized: Uint8Array; readonly outcome: Outcome }[] = [];
  #next = 0;

  find(serialized: Uint8Array): Outcome | undefined {
    for (const entry of this.#entries) {
      if (entry.serialized.length === serialized.length && Buffer.compare(entry.serialized, serialized) === 0) {
        return entry.outcome;
      }
    }
    return undefined;
  }

  add(serialized: Uint8Array, outcome: Outcome): void {
    this.#entries[this.#next] = { serialized, outcome };
    this.#next = (this.#next + 1) % RECENT_IDENTITIES;
  }
}

function identityOf(outcome: Outcome): Identity {
  if ('identity' in outcome) return outcome.identity;
  const { mspId, reason } = outcome;
  throw mspId === undefined ? new Error(reason) : new InvalidIdentity(mspId, reason);
}

function judge(msps: ReadonlyMap<string, X509Msp>, serialized: Uint8Array): Outcome {
  try {
    return { identity: createIdentity(msps, serialized) };
  } catch (error) {
    return { reason: messageOf(error), mspId: error instanceof InvalidIdentity ? error.mspId : undefined };
  }
}

function createIdentity(msps: ReadonlyMap<string, X509Msp>, serialized: Uint8Array): Identity {
  const { mspId, idBytes } = decode(serialized);
  const membership = msps.get(mspId);
  if (membership === undefined) throw new Error(`MSP ${mspId} is not defined on channel`);
  const certificatePem = Buffer.from(idBytes).toString('utf8');
  if (!certificatePem.includes('-----BEGIN ')) throw new Error('could not decode the PEM structure');
  const certificate = parse(certificatePem);
  const publicKey = certificate.publicKey;
  if (publicKey.asymmetricKeyType !== 'ec' || publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new Error('could not validate identity: only ECDSA keys on P-256 are supported');
  }
  const verdict = membership.validate(certificate);
  const fingerprint = fingerprintOf(certificate);
  return {
    mspId,
    serialized,
    certificatePem,
    commonName: commonNameOf(certificate),
    notAfterMs: validityOf(certificate).toMs,
    fingerprint,
    ...verdict,
    verify: (message, signature) => verifyLowS(publicKey, fingerprint, message, signature),
  };
}

function decode(serialized: Uint8Array): { mspId: string; idBytes: Uint8Array } {
  try {
    const identity = msp.SerializedIdentity.deserializeBinary(serialized);
    return { mspId: identity.getMspid(), idBytes: identity.getIdBytes_asU8() };
  } catch (cause) {
    throw new Error('could not deserialize a SerializedIdentity', { cause });
  }
}

function parse(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new Error('parseCertificate failed', { cause });
  }
}

function commonNameOf(certificate: X509Certificate): string {
  const name: unknown = certificate.toLegacyObject().subject.CN;
  if (typeof name === 'string') return name;
  const last: unknown = Array.isArray(name) ? name.at(-1) : undefined;
  return typeof last === 'string' ? last : '';
}
