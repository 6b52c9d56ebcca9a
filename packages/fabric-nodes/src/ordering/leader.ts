const PROBE_TIMEOUT_MS = 5_000;
const HOST = '127.0.0.1';
const METRIC = { raft: 'consensus_etcdraft_is_leader', bft: 'consensus_BFT_is_leader' } as const;

/** Whether an orderer says in its metrics that it leads a channel; false when it does not answer. */
export async function isLeader(type: keyof typeof METRIC, operationsPort: number, channel: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${HOST}:${operationsPort}/metrics`, {
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    return metricOf(await response.text(), METRIC[type], channel) === 1;
  } catch {
    return false;
  }
}

/** A gauge with the label `channel` in the text format of Prometheus. */
export function metricOf(text: string, name: string, channel: string): number | undefined {
  const prefix = `${name}{channel="${channel}"} `;
  const line = text.split('\n').find((candidate) => candidate.startsWith(prefix));
  return line === undefined ? undefined : Number(line.slice(prefix.length));
}
