import { WaymarkError, signTransportKey } from '@waymark/protocol';
import {
  exportEncryptionKeyPair,
  generateEncryptionKeyPair,
  parseEncryptionKeyPair,
  type EncryptionKeyPair,
} from '../keys/encryption-key.ts';
import type { PrivateJwk } from '../keys/jwk.ts';
import type { SigningIdentity } from '../keys/signing-identity.ts';
import { openSubmission, type OpenedSubmission } from './submission.ts';
import { clockSkewMs, maxTransportKeyLifetimeMs } from './transport-key.ts';

/** How a transport key pair is kept between restarts. Secret. */
export interface StoredTransportKey {
  readonly jwk: PrivateJwk;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** The signed announcement, base64url. */
  readonly announcement: string;
}

/** Where transport keys are kept; `save` replaces all of them and returns once that is on disk. */
export interface TransportKeyStorage {
  load(): Promise<readonly StoredTransportKey[]>;
  save(keys: readonly StoredTransportKey[]): Promise<void>;
}

/** What outlets are told. */
export interface AnnouncedTransportKey {
  readonly kid: string;
  /** COSE_Sign1, see `verifyTransportKey`. */
  readonly announcement: Uint8Array;
  readonly notAfterMs: number;
}

/**
 * The short-lived keys of one center: a new one is announced before the old one ends, the old one opens until then, and its private half is
 * deleted at its end.
 */
export interface TransportKeyRing {
  /** The key to announce now. */
  current(): AnnouncedTransportKey;
  /** Announces a new key when its time has come, and deletes keys that have ended, or that were made by a clock that was ahead. Call it again and again. */
  maintain(nowMs: number): Promise<void>;
  /**
   * Opens a submission with the key it names.
   * @throws WaymarkError key-unknown: not ours, or deleted; decryption-failed, input-invalid, limit-exceeded
   */
  open(bytes: Uint8Array, nowMs: number): OpenedSubmission;
}

interface HeldKey {
  readonly pair: EncryptionKeyPair;
  readonly stored: StoredTransportKey;
}

/** How long before its end a key is followed by the next, unless told otherwise. */
const defaultOverlapMs = 2 * 3_600_000;

/**
 * Opens the ring of a center, with the keys it had before a restart.
 * @param options.lifetimeMs at most a day
 * @param options.overlapMs how long before its end a key is followed by the next
 * @throws WaymarkError configuration-invalid: lifetime or overlap out of bounds
 */
export async function openTransportKeyRing(options: {
  readonly channel: string;
  readonly identity: SigningIdentity;
  readonly storage: TransportKeyStorage;
  readonly nowMs: number;
  readonly lifetimeMs?: number;
  readonly overlapMs?: number;
}): Promise<TransportKeyRing> {
  const { channel, identity, storage, lifetimeMs = maxTransportKeyLifetimeMs } = options;
  const overlapMs = options.overlapMs ?? Math.min(defaultOverlapMs, lifetimeMs / 4);
  if (!(lifetimeMs > 0 && lifetimeMs <= maxTransportKeyLifetimeMs && overlapMs >= 0 && overlapMs < lifetimeMs)) {
    throw new WaymarkError(
      'configuration-invalid',
      'A transport key lives a day at most, and longer than its overlap.',
      {
        details: { lifetimeMs, overlapMs },
      },
    );
  }
  let held: readonly HeldKey[] = (await storage.load()).map((stored) => ({
    pair: parseEncryptionKeyPair(stored),
    stored,
  }));
  let working: Promise<void> = Promise.resolve();

  const fresh = (nowMs: number): HeldKey => {
    const pair = generateEncryptionKeyPair('P-256');
    const notAfterMs = nowMs + lifetimeMs;
    const announcement = signTransportKey(identity, {
      channel,
      msp: identity.mspId,
      kid: pair.kid,
      publicKey: pair.publicKey.keyObject,
      notBeforeMs: nowMs,
      notAfterMs,
    });
    const { jwk } = exportEncryptionKeyPair(pair);
    const text = Buffer.from(announcement).toString('base64url');
    return { pair, stored: { jwk, notBeforeMs: nowMs, notAfterMs, announcement: text } };
  };

  const turn = async (nowMs: number): Promise<void> => {
    // A key that a wrong clock has dated ahead is taken by no outlet, and would stand in the way of those that are.
    const alive = held.filter(({ stored }) => stored.notAfterMs > nowMs && stored.notBeforeMs <= nowMs + clockSkewMs);
    const newest = alive.at(-1);
    const due = newest === undefined || newest.stored.notAfterMs - nowMs <= overlapMs;
    if (!due && alive.length === held.length) return;
    const next = due ? [...alive, fresh(nowMs)] : alive;
    await storage.save(next.map(({ stored }) => stored));
    held = next;
  };
  const maintain = (nowMs: number): Promise<void> => {
    const done = working.then(() => turn(nowMs));
    working = done.catch(() => undefined);
    return done;
  };

  await maintain(options.nowMs);
  return {
    current() {
      const { pair, stored } = held.at(-1) as HeldKey;
      const announcement = Buffer.from(stored.announcement, 'base64url');
      return { kid: pair.kid, announcement, notAfterMs: stored.notAfterMs };
    },
    maintain,
    open: (bytes, nowMs) =>
      openSubmission(bytes, {
        channel,
        keyOf: (kid) => held.find(({ pair, stored }) => pair.kid === kid && stored.notAfterMs > nowMs)?.pair.privateKey,
      }),
  };
}
