/** The largest block IPFS peers exchange, and the largest accepted here. */
export const maxBlockSizeBytes = 2 * 1024 * 1024;

/** The most blocks one pin or one DAG read may cover. */
export const maxDagBlocks = 4_000_000;

/** Blocks and bytes gathered before they are handed on as one write or one CAR. */
export const maxChunkBlocks = 4096;
export const maxChunkSizeBytes = 8 * 1024 * 1024;

/** Blocks read at once by `getMany`. */
export const readConcurrency = 16;

/** Blocks of a DAG that are asked for together, of a store that can read neighbours at once. */
export const readTogetherBlocks = 32;

/** Missing or altered blocks after which a check of a DAG looks no further. */
export const maxHeldFaults = 1000;
