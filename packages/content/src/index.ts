export type * from './store/content-store.ts';
export { maxBlockSizeBytes } from './store/limits.ts';
export { cidOf, parseContentCid, requireContentCid, type ContentCodec } from './block/content-cid.ts';
export { linksOf } from './block/links.ts';
export { requireMatch, requireStorable } from './block/verify.ts';
export { openEmbeddedStore, type EmbeddedContentStore, type EmbeddedStoreOptions } from './embedded/embedded-store.ts';
export type { OpenReport, SegmentDamage } from './embedded/recovery.ts';
export type { StoreFile, StoreFileSystem } from './embedded/file-system.ts';
export { nodeFileSystem } from './embedded/file-system.ts';
