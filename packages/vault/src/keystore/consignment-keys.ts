import { randomBytes, timingSafeEqual } from 'node:crypto';
import { WaymarkError } from '@waymark/protocol';
import { randomId } from '../derivation/random.ts';
import { createConsignmentCipher, type ConsignmentCipher } from '../envelope/consignment-cipher.ts';
import type { LocalBinding, LocalWrap } from './local-wrap.ts';

/** Where a service keeps wrapped consignment keys: a table of its database. */
export interface WrappedKeyTable {
  get(consignmentOid: Uint8Array, epoch: number): Promise<Uint8Array | null>;
  /** Stores unless there is one already, and returns the one that is there, once it is on disk. */
  putIfAbsent(consignmentOid: Uint8Array, epoch: number, wrapped: Uint8Array): Promise<Uint8Array>;
}

/** The consignment keys a service holds. */
export interface ConsignmentKeys {
  /** Makes the key of a consignment and epoch, unless it is there: twice gives the same. */
  create(consignmentOid: Uint8Array, epoch: number): Promise<ConsignmentCipher>;
  /**
   * Keeps a key that was handed over.
   * @throws WaymarkError conflict: another key is held for this consignment and epoch; key-invalid
   */
  adopt(consignmentOid: Uint8Array, epoch: number, key: Uint8Array): Promise<ConsignmentCipher>;
  /** @throws WaymarkError key-unknown */
  cipher(consignmentOid: Uint8Array, epoch: number): Promise<ConsignmentCipher>;
  /** The key itself, for handing it over. Secret. @throws WaymarkError key-unknown */
  reveal(consignmentOid: Uint8Array, epoch: number): Promise<Uint8Array>;
}

const keyBytes = 32;

/** A fresh consignment id: 16 random bytes. */
export function newConsignmentOid(): Uint8Array {
  return randomId(16);
}

/**
 * @param options.maxCached ciphers kept ready (each holds one derived key); the least recently used goes first
 */
export function consignmentKeys(options: {
  readonly channel: string;
  readonly msp: string;
  readonly wrap: LocalWrap;
  readonly table: WrappedKeyTable;
  readonly maxCached?: number;
}): ConsignmentKeys {
  const { channel, msp, wrap, table, maxCached = 10_000 } = options;
  const ready = new Map<string, ConsignmentCipher>();

  const bind = (consignmentOid: Uint8Array, epoch: number): LocalBinding => ({ channel, msp, consignmentOid, epoch });
  const nameOf = ({ consignmentOid, epoch }: LocalBinding): string =>
    `${Buffer.from(consignmentOid).toString('hex')}/${epoch}`;

  const keep = (binding: LocalBinding, key: Uint8Array): ConsignmentCipher => {
    const cipher = createConsignmentCipher(binding, key);
    ready.set(nameOf(binding), cipher);
    if (ready.size > maxCached) ready.delete(ready.keys().next().value ?? '');
    return cipher;
  };
  const cached = (binding: LocalBinding): ConsignmentCipher | undefined => {
    const name = nameOf(binding);
    const cipher = ready.get(name);
    if (cipher !== undefined) {
      ready.delete(name);
      ready.set(name, cipher);
    }
    return cipher;
  };
  const store = async (binding: LocalBinding, key: Uint8Array): Promise<Uint8Array> => {
    const wrapped = wrap.wrapLocal(key, binding);
    const held = await table.putIfAbsent(binding.consignmentOid, binding.epoch, wrapped);
    return held === wrapped ? key : wrap.unwrapLocal(held, binding);
  };
  const load = async (binding: LocalBinding): Promise<Uint8Array> => {
    const wrapped = await table.get(binding.consignmentOid, binding.epoch);
    if (wrapped !== null) return wrap.unwrapLocal(wrapped, binding);
    throw new WaymarkError('key-unknown', 'No key is held for this consignment and epoch.', {
      details: { consignment: Buffer.from(binding.consignmentOid).toString('hex'), epoch: binding.epoch },
    });
  };

  return {
    async create(consignmentOid, epoch) {
      const binding = bind(consignmentOid, epoch);
      return cached(binding) ?? keep(binding, await store(binding, randomBytes(keyBytes)));
    },
    async adopt(consignmentOid, epoch, key) {
      const binding = bind(consignmentOid, epoch);
      if (key.length !== keyBytes) throw new WaymarkError('key-invalid', 'A consignment key has 32 bytes.');
      const held = await store(binding, key);
      if (!timingSafeEqual(held, key)) {
        throw new WaymarkError('conflict', 'Another key is held for this consignment and epoch.', {
          details: { consignment: Buffer.from(consignmentOid).toString('hex'), epoch },
        });
      }
      return cached(binding) ?? keep(binding, held);
    },
    async cipher(consignmentOid, epoch) {
      const binding = bind(consignmentOid, epoch);
      return cached(binding) ?? keep(binding, await load(binding));
    },
    reveal: (consignmentOid, epoch) => load(bind(consignmentOid, epoch)),
  };
}
