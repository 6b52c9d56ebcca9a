/**
 * What a center knows about one follower, and how much it sends ahead (Raft thesis section 10.2; the three modes are those of etcd's Raft):
 * `probe` sends one message at a time until it knows where the logs meet, `replicate` sends ahead within a window, `snapshot` waits for the
 * answer to a snapshot.
 */
export interface Progress {
  readonly mode: 'probe' | 'replicate' | 'snapshot';
  /** Last height that the follower is known to hold as the center does. */
  readonly match: number;
  /** Height of the next entry to send. */
  readonly next: number;
  /** Last height that the follower is known to hold sealed. */
  readonly sealed: number;
  /** Last sealed height that the follower was told of. */
  readonly sealedSent: number;
  /** Messages that are not answered. */
  readonly inflight: number;
  /** Complaints (`missed`) since the last heartbeat. Beyond `maxComplaints` the next heartbeat is waited for: two members never argue without a pause. */
  readonly complaints: number;
  /** Whether the follower has answered since the last look (check quorum). */
  readonly isActive: boolean;
  /** Whether it still has to be shown the election. */
  readonly needsElection: boolean;
}

const maxComplaints = 8;

/** A follower about which nothing is known: the center guesses that it has all (Raft section 5.3). */
export function newProgress(lastHeight: number): Progress {
  return {
    mode: 'probe',
    match: 0,
    next: lastHeight + 1,
    sealed: 0,
    sealedSent: 0,
    inflight: 0,
    complaints: 0,
    isActive: false,
    needsElection: true,
  };
}

/** Whether another message may be sent now. */
export function maySend(progress: Progress, maxInflight: number): boolean {
  if (progress.mode === 'snapshot') return false;
  return progress.mode === 'probe' ? progress.inflight === 0 : progress.inflight < maxInflight;
}

/** A message with entries up to `last` was sent. */
export function sent(progress: Progress, last: number, sealed: number): Progress {
  return {
    ...progress,
    next: Math.max(progress.next, last + 1),
    sealedSent: Math.max(progress.sealedSent, sealed),
    inflight: progress.inflight + 1,
  };
}

/** A snapshot was sent. */
export function sentSnapshot(progress: Progress, height: number): Progress {
  return { ...progress, mode: 'snapshot', next: height + 1, inflight: 1 };
}

/** The follower agrees up to `height` and has sealed up to `sealed`. */
export function matched(progress: Progress, height: number, sealed: number, needsElection = false): Progress {
  const match = Math.max(progress.match, height);
  return {
    ...progress,
    mode: 'replicate',
    match,
    next: Math.max(progress.next, match + 1),
    sealed: Math.max(progress.sealed, Math.min(sealed, match)),
    inflight: Math.max(0, progress.inflight - 1),
    isActive: true,
    needsElection,
  };
}

/** The follower does not hold what was to be followed; it can continue from `height`. */
export function missed(progress: Progress, height: number, needsElection: boolean): Progress {
  const complaints = progress.complaints + 1;
  return {
    ...progress,
    mode: 'probe',
    match: Math.min(progress.match, height),
    next: height + 1,
    sealed: Math.min(progress.sealed, height),
    sealedSent: Math.min(progress.sealedSent, height),
    inflight: complaints > maxComplaints ? 1 : 0,
    complaints,
    isActive: true,
    needsElection,
  };
}

/** Time to send again: what was not answered counts as lost. */
export function expired(progress: Progress): Progress {
  return {
    ...progress,
    mode: progress.mode === 'snapshot' ? 'probe' : progress.mode,
    next: progress.match + 1,
    sealedSent: progress.sealed,
    inflight: 0,
    complaints: 0,
  };
}
