/** Every stored value names the version of its layout. */
export interface Stored {
  readonly v: 1;
}

/** A stored value read back. Layout versions are migrated here; there is only one so far. */
export function decodeStored(bytes: Uint8Array): Stored {
  const value = JSON.parse(Buffer.from(bytes).toString('utf8')) as { readonly v: number };
  if (value.v !== 1) throw new Error('a stored value has a layout this version does not know');
  return { ...value, v: 1 };
}
