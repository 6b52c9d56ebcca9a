import { type Component, type Logger, watchFiles } from '@waymark/service-kit';
import { loadMembersFile, type Member, type MembersFile } from './members-file.ts';

/** The other organisations of the consortium, as the members file says now. */
export interface Members extends Component {
  current(): readonly Member[];
  member(mspId: string): Member | undefined;
  /** Called after every change. */
  onChange(listener: () => void): void;
  /** Looks at the file now. */
  check(): Promise<void>;
}

/**
 * Follows the members file; without one there are no other organisations. A version that cannot be read is logged, and the one before it stays.
 * @param mspId the own organisation: left out of the answers
 * @throws WaymarkError configuration-invalid when the first version cannot be read
 */
export function openMembers(parts: { file: string | undefined; mspId: string; logger: Logger }): Members {
  const { file, mspId, logger } = parts;
  const listeners = new Set<() => void>();
  let read: MembersFile = { members: [], files: [] };
  const others = (): readonly Member[] => read.members.filter((member) => member.mspId !== mspId);
  const watch = watchFiles({
    name: 'members',
    files: () => (file === undefined ? [] : [file, ...read.files]),
    onChange: () => {
      if (file === undefined) return;
      read = loadMembersFile(file);
      logger.info('the members file was read', { count: others().length });
      for (const listener of listeners) listener();
    },
    onError: (error) => logger.error('the members file cannot be read; the last version stays in force', { error }),
  });
  if (file !== undefined) read = loadMembersFile(file);
  return {
    name: 'members',
    start: () => watch.start(),
    stop: () => watch.stop(),
    check: () => watch.check(),
    current: others,
    member: (id) => others().find((member) => member.mspId === id),
    onChange: (listener) => void listeners.add(listener),
  };
}
