export { type ConfigurationTypes, configurationTypes, type NumberLimits } from './configuration-types.ts';
export { readSecretFile, readTextFile } from './files.ts';
export { loadConfiguration } from './load-configuration.ts';
