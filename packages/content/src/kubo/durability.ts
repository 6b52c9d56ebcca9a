import { WaymarkError } from '@waymark/protocol';

/** Whether a kubo datastore specification syncs every block to disk before the write is answered. */
function syncsEveryWrite(spec: unknown): boolean {
  const store = blockStoreOf(spec);
  return (
    (store['type'] === 'flatfs' && store['sync'] === true) ||
    (store['type'] === 'badgerds' && store['syncWrites'] === true)
  );
}

/** @throws `configuration-invalid` */
export function requireSynced(spec: unknown): void {
  if (syncsEveryWrite(spec)) return;
  throw new WaymarkError(
    'configuration-invalid',
    'This kubo answers writes before they are synced to disk: set "sync": true for the blocks in its Datastore.Spec, or accept it by durability "as-configured".',
    { details: { source: 'kubo', reason: 'not-synced' } },
  );
}

type Spec = Readonly<Record<string, unknown>>;

/** Kubo nests stores: 'mount' picks one by key prefix, 'measure' and 'log' wrap one. */
function blockStoreOf(spec: unknown): Spec {
  const store = asSpec(spec);
  if (store['type'] === 'mount' && Array.isArray(store['mounts'])) {
    const mounts = store['mounts'].map(asSpec);
    const mount =
      mounts.find((one) => one['mountpoint'] === '/blocks') ?? mounts.find((one) => one['mountpoint'] === '/');
    return blockStoreOf(mount);
  }
  if (store['child'] !== undefined) return blockStoreOf(store['child']);
  return store;
}

function asSpec(value: unknown): Spec {
  return typeof value === 'object' && value !== null ? (value as Spec) : {};
}
