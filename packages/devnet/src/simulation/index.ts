export { compareKeys, sortedByKey } from './key-order.ts';
export { RangeReadsCollector, buildKVRead, type RangeReads } from './range-query-reads.ts';
export { ReadWriteSetBuilder } from './read-write-set.ts';
export { TxSimulator, type PagedIterator, type ResultsIterator, type SimulationResults } from './tx-simulator.ts';
