import type { RunningProcess } from '../processes.ts';
import type { TopologyOrganisation } from '../topology.ts';

/** What a center is told of its content store. */
export type ContentSection =
  | { readonly kind: 'embedded' }
  | {
      readonly kind: 'kubo';
      readonly url: string;
      readonly authorizationScheme: 'bearer';
      /** File with the secret, on this machine; it is copied into the center's folder. */
      readonly secretFile: string;
    };

/** The organisations' content stores, whatever they run on. */
export interface RunningContent {
  /** Kubos, as they run now. */
  readonly nodes: readonly RunningProcess[];
  sectionOf(mspId: string): ContentSection;
  /** Brings in the store of an organisation that has come later. */
  add(organisation: TopologyOrganisation): Promise<void>;
  /** Starts a process again that has ended; false when it is none of these. */
  restart(name: string): Promise<boolean>;
  stop(): Promise<void>;
}

/** Each center keeps its blocks itself. */
export function embeddedContent(): RunningContent {
  return {
    nodes: [],
    sectionOf: () => ({ kind: 'embedded' }),
    add: () => Promise.resolve(),
    restart: () => Promise.resolve(false),
    stop: () => Promise.resolve(),
  };
}
