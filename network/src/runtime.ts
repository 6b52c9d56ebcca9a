/** What the system runs on: devnet and embedded content stores, or Fabric's and kubo's own programs as processes or as containers. */
export type Runtime = 'embedded' | 'native' | 'docker';

export const runtimes: readonly Runtime[] = ['embedded', 'native', 'docker'];
