import { WaymarkError } from '@waymark/protocol';
import type { MemberId } from '@waymark/rsl';

/** Streams that other members hold open here. */
export interface OpenStreams {
  /** Does the work until it is done or the stream is ended from here. @throws what `work` throws; why the stream was ended */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Like `run`; ends the one that this member had before: the newest is the one that its owner holds. */
  runOnly<T>(member: MemberId, work: () => Promise<T>): Promise<T>;
  endAll(): void;
}

export function createOpenStreams(): OpenStreams {
  const open = new Set<(reason: WaymarkError) => void>();
  const byMember = new Map<MemberId, (reason: WaymarkError) => void>();
  const run = async <T>(
    work: () => Promise<T>,
    onEndable: (end: (reason: WaymarkError) => void) => void,
  ): Promise<T> => {
    const ended = Promise.withResolvers<never>();
    const end = (reason: WaymarkError): void => ended.reject(reason);
    open.add(end);
    onEndable(end);
    try {
      return await Promise.race([work(), ended.promise]);
    } finally {
      open.delete(end);
    }
  };
  return {
    run: (work) => run(work, () => undefined),
    async runOnly(member, work) {
      let own: ((reason: WaymarkError) => void) | undefined;
      try {
        return await run(work, (end) => {
          own = end;
          byMember.get(member)?.(new WaymarkError('conflict', 'the member has opened another stream'));
          byMember.set(member, end);
        });
      } finally {
        if (byMember.get(member) === own) byMember.delete(member);
      }
    },
    endAll() {
      for (const end of [...open]) end(new WaymarkError('unavailable', 'the member is stopping'));
    },
  };
}
