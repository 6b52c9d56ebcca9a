import { join } from 'node:path';

/** The repository, this folder, and where the bundle goes. */
export const repositoryFolder = join(import.meta.dirname, '..', '..');
export const chaincodeFolder = join(import.meta.dirname, '..');
export const libraryFolder = join(chaincodeFolder, 'lib');
