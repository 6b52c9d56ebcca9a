/** What the channel runs on: devnet, or Fabric's own programs as processes of this machine. */
export type Runtime = 'embedded' | 'native';

export const runtimes: readonly Runtime[] = ['embedded', 'native'];
