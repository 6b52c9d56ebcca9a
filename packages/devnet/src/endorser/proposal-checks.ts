import { X509Certificate } from 'node:crypto';
import { common, msp, type peer } from '@hyperledger/fabric-protos';
import { messageOf } from '../errors.ts';
import { validityOf } from '../msp/certificate-validity.ts';
import { InvalidIdentity } from '../msp/invalid-identity.ts';
import type { Identity, MspRegistry } from '../msp/msp.ts';
import { hasSigned } from '../policy/policy.ts';
import { partsOf } from './proposal-parts.ts';
import type { UnpackedProposal } from './proposal.ts';

/** How far a proposal's clock may be from the peer's (Fabric: peer.authentication.timewindow). */
const TIME_WINDOW_MS = 15 * 60 * 1000;
/** After so many years the Gregorian calendar repeats. */
const CALENDAR_CYCLE_YEARS = 400;
const CALENDAR_CYCLE_MS = 146_097 * 24 * 60 * 60 * 1000;

/**
 * What Fabric's authentication filters check before anything else (core/handlers/auth/filter): the creator's certificate
 * has not expired, the timestamp is near the peer's clock. Throws a plain Error with Fabric's text.
 */
export function checkFilters(signedProposal: peer.SignedProposal, msps: MspRegistry, nowMs: number): void {
  const parts = partsOf(signedProposal);
  parse('proposal', () => parts.proposal);
  parse('header', () => parts.header);
  const signatureHeader = parse('signature header', () => parts.signatureHeader);
  const notAfterMs = expiryOf(signatureHeader.getCreator_asU8(), msps);
  if (notAfterMs !== undefined && nowMs > notAfterMs) throw new Error('proposal client identity expired');
  const channelHeader = parse('channel header', () => parts.channelHeader);
  const timestamp = channelHeader.getTimestamp();
  const timeMs = (timestamp?.getSeconds() ?? 0) * 1000 + (timestamp?.getNanos() ?? 0) / 1e6;
  if (Math.abs(nowMs - timeMs) > TIME_WINDOW_MS) {
    throw new Error(
      `request unauthorized due to incorrect timestamp ${rfc3339(timeMs)}, peer time ${rfc3339(nowMs)}, peer.authentication.timewindow 15m0s`,
    );
  }
}

/**
 * Headers, transaction id, creator and signature (Fabric: core/endorser/msgvalidation.go, Validate). Returns the creator.
 * Throws a plain Error with Fabric's text.
 */
export function checkProposal(proposal: UnpackedProposal, msps: MspRegistry): Identity {
  const { parts, channelHeader, signatureHeader, signedProposal, channelId, txId } = proposal;
  const type = channelHeader.getType();
  if (type !== common.HeaderType.ENDORSER_TRANSACTION && type !== common.HeaderType.CONFIG) {
    throw new Error(`invalid header type ${headerTypeName(type)}`);
  }
  if (channelHeader.getEpoch() !== 0) throw new Error('epoch is non-zero');
  const nonce = signatureHeader.getNonce_asU8();
  const creator = signatureHeader.getCreator_asU8();
  if (nonce.length === 0) throw new Error('nonce is empty');
  if (creator.length === 0) throw new Error('creator is empty');
  const expected = parts.expectedTxId;
  if (txId !== expected) throw new Error(`incorrectly computed txid '${txId}' -- expected '${expected}'`);
  const signature = signedProposal.getSignature_asU8();
  if (signature.length === 0) throw new Error('empty signature bytes');
  const identity = creatorOf(creator, msps, channelId);
  if (!hasSigned(identity, parts.signed(signature))) {
    throw new Error(`access denied: channel [${channelId}] creator org [${identity.mspId}]`);
  }
  return identity;
}

function creatorOf(creator: Uint8Array, msps: MspRegistry, channelId: string): Identity {
  try {
    return msps.deserialize(creator);
  } catch (cause) {
    throw cause instanceof InvalidIdentity
      ? new Error(`access denied: channel [${channelId}] creator org [${cause.mspId}]`, { cause })
      : new Error(`access denied: channel [${channelId}] creator org unknown, creator is malformed`, { cause });
  }
}

function parse<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Error(`failed parsing ${what}: ${messageOf(cause)}`, { cause });
  }
}

/** When the creator's certificate expires, be it valid or not; undefined for what is no certificate. */
function expiryOf(creator: Uint8Array, msps: MspRegistry): number | undefined {
  const known = deserialize(creator, msps);
  if (known !== undefined) return known.notAfterMs;
  try {
    const pem = msp.SerializedIdentity.deserializeBinary(creator).getIdBytes_asU8();
    return validityOf(new X509Certificate(pem)).toMs;
  } catch {
    return undefined;
  }
}

function deserialize(creator: Uint8Array, msps: MspRegistry): Identity | undefined {
  try {
    return msps.deserialize(creator);
  } catch {
    return undefined;
  }
}

function headerTypeName(type: number): string {
  return Object.entries(common.HeaderType).find(([, value]) => value === type)?.[0] ?? String(type);
}

/** Any time that a timestamp can hold: `Date` ends with the year 275760, so whole cycles of the calendar are taken off. */
function rfc3339(timeMs: number): string {
  const cycles = Math.floor(timeMs / CALENDAR_CYCLE_MS);
  const text = new Date(timeMs - cycles * CALENDAR_CYCLE_MS).toISOString();
  const year = Number(text.slice(0, 4)) + cycles * CALENDAR_CYCLE_YEARS;
  return `${year < 0 ? '-' : ''}${String(Math.abs(year)).padStart(4, '0')}${text.slice(4, 19)}Z`;
}
