import type { NetworkStatus } from '@waymark/network';

const expiryNoticeMs = 30 * 24 * 3_600_000;
const mark = (good: boolean): string => (good ? ' ' : '!');

/** One screen for an operator; a line that wants attention begins with `!`. */
export function statusText(status: NetworkStatus, nowMs: number): string {
  const { runtime, fabricVersion, ordering, orderers, toleratedFaults, leader, pins, ledgers, certificates, away } =
    status;
  const highest = Math.max(0, ...status.organisations.flatMap(({ peers }) => peers.map(({ height }) => height ?? 0)));
  const faults = ordering === 'bft' ? 'lying' : 'failing';
  const expiring = certificates.filter(({ notAfter }) => Date.parse(notAfter) - nowMs < expiryNoticeMs);
  const [next] = certificates;
  return [
    `  runtime       ${runtime}${fabricVersion === null ? '' : `, Fabric ${fabricVersion}`}`,
    `  channel       ${status.channel}, chaincode ${status.chaincode.name} ${status.chaincode.version} (sequence ${status.chaincode.sequence})`,
    `${mark(ordering === 'devnet' || leader !== null)} ordering      ${ordering}, ${orderers} orderer${orderers === 1 ? '' : 's'}, tolerates ${toleratedFaults} ${faults}${leader === null ? '' : `, led by ${leader}`}`,
    ...status.organisations.flatMap(({ name, mspId, role, peers, services }) => [
      `  ${name} (${mspId}, ${role})`,
      ...peers.map(({ name: peer, height, anchor }) => {
        const lag =
          height === null ? 'does not answer' : height < highest ? `${highest - height} behind` : 'up to date';
        return `${mark(height === highest)}   peer ${peer.padEnd(16)} height ${String(height ?? '-').padStart(6)}  ${lag}${anchor ? ', anchor' : ''}`;
      }),
      ...services.map(({ name: service, kind, state }) => `${mark(state === 'ready')}   ${kind} ${service}: ${state}`),
    ]),
    ...ledgers.flatMap(({ mspId, center, term, height, confirmed, anchored, members }) => [
      `${mark(center !== null)} ledger        ${mspId}, ${center === null ? 'nobody in office' : `${center} in office`}, term ${term ?? '-'}, height ${height ?? '-'}, ${confirmed ?? '-'} confirmed, ${anchored ?? '-'} anchored`,
      ...members.map(({ id, role, height: own, lag }) => {
        const place = own === null ? 'does not answer' : lag === null || lag === 0 ? 'up to date' : `${lag} behind`;
        return `${mark(own !== null)}   ${role.padEnd(10)} ${id.padEnd(16)} height ${String(own ?? '-').padStart(6)}  ${place}`;
      }),
    ]),
    `${mark(pins.missing + pins.silentCenters === 0)} pins          ${pins.anchored} batches and ranges of blocks anchored, ${pins.replicated} held by enough organisations, ${pins.missing} not${pins.silentCenters === 0 ? '' : `; ${pins.silentCenters} centers do not say`}`,
    `${mark(expiring.length === 0)} certificates  ${certificates.length}, ${expiring.length} of them end within 30 days${next === undefined ? '' : `; next ${next.notAfter.slice(0, 10)} (${next.subject})`}`,
    ...(away.length === 0 ? [] : [`! away          ${away.join(', ')}`]),
    '',
  ].join('\n');
}
