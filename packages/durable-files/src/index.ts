export {
  createFileSystem,
  nodeFileSystem,
  privateFileSystem,
  type RenamingFileSystem,
  type StoreFile,
  type StoreFileSystem,
} from './file-system.ts';
export { ioFault } from './io-fault.ts';
export { type Level, openIndex, takeLock } from './level.ts';
