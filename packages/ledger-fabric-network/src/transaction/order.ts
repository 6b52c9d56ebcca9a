import { grpcStatuses, ledgerFailure } from '@waymark/fabric/client';
import { WaymarkError } from '@waymark/protocol';
import type { Commit } from 'fabric-common';
import type { Link } from '../connection/link.ts';
import { fromLibraryFailure } from '../failure.ts';

/** What an orderer answers to a broadcast. */
interface BroadcastResponse {
  readonly status: string;
  readonly info?: string;
}

/** Hands a transaction to one orderer after the other, from a random one on, until one takes it. */
export async function order(link: Link, commit: Commit, txId: string, timeoutMs: number): Promise<void> {
  const orderers = link.committers();
  const first = Math.floor(Math.random() * orderers.length);
  const targets = [...orderers.slice(first), ...orderers.slice(0, first)];
  if (targets.length === 0) {
    throw new WaymarkError('unavailable', 'no orderer is known', { details: { txId } });
  }
  let answer: BroadcastResponse;
  try {
    answer = (await commit.send({ targets, requestTimeout: timeoutMs })) as BroadcastResponse;
  } catch (error) {
    throw fromLibraryFailure(error, { txId });
  }
  if (answer.status === 'SUCCESS') return;
  const text = `received unsuccessful response from orderer: status=${answer.status}, info=${answer.info ?? ''}`;
  throw ledgerFailure({ grpcStatus: grpcStatuses.ABORTED, texts: [text], peers: [] }, { txId }, new Error(text));
}
