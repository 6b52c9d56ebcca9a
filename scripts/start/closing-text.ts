import { relative } from 'node:path';
import type { Consortium } from '@waymark/network';
import type { LoadedSample, MainJobFigures } from './main-job.ts';

/** What `npm start` prints when the job is done: the figures, and where to go next. Every line works as printed. */
export function closingText(
  consortium: Consortium,
  figures: MainJobFigures,
  rawOnChainBytes: number,
  sample: LoadedSample,
  dataDir: string,
): string {
  const share = ((figures.onChainBytes / rawOnChainBytes) * 100).toFixed(2);
  const data = relative(process.cwd(), dataDir);
  const profile = data === '.waymark' ? '' : ` --profile ${quoted(`${data}/profile.yaml`)}`;
  const services = consortium.services.map(
    ({ organisation, node, operationsUrl }) =>
      `  ${organisation.name}: ${node}\n    ${operationsUrl}/docs  ${operationsUrl}/healthz  ${operationsUrl}/metrics`,
  );
  return `
${figures.records} records (${kib(figures.payloadBytes)} of payload) sealed, stored and anchored
on the channel  ${kib(figures.onChainBytes)}; raw they would take ${kib(rawOnChainBytes)} (${share} %)
trusted         ${figures.trusted.matched} of ${figures.trusted.asked} proven, ${figures.trusted.trust}
fast            ${figures.fast.trust}
external        ${figures.external.opened} opened by somebody outside
tampering       ${figures.tamper.code}
${ledgerText(figures)}cold start      ${(figures.coldStartMs / 1_000).toFixed(1)} s to the first trusted answer

Records are claims: who made them, and when, is proven; that they are true is not.

Services (operations ports; the APIs want a client certificate):
${services.join('\n')}

Go on with:
  npx waymark trace --event ${quoted(sample.record.eventId)} --show${profile}
  npx waymark trace --event ${quoted(sample.record.eventId)} --fast${profile}
  npx waymark submit examples/samples/air-freight.csv${profile}
  npx waymark trace examples/samples/air-freight.csv${profile}
  npm run tamper -- --data ${quoted(data)} --cid ${sample.cid} --firm ${consortium.topology.organisations[0]?.domain ?? ''}
      ... and trace that event twice: the first asker gets an error, behind it another member's copy puts it right
`;
}

/** What of the private ledger; empty where there is none. */
export function ledgerText({ ledger }: Pick<MainJobFigures, 'ledger'>): string {
  if (ledger === null) return '';
  const { blocks, anchors, failover, rewrite } = ledger;
  return `private ledger  ${blocks} blocks in ${anchors} anchors
center killed   ${failover.acknowledged} records acknowledged meanwhile, ${failover.lost} lost
rewritten chain ${rewrite.code} (${relative(process.cwd(), rewrite.alertFile)})
`;
}

/** A word as a shell reads it back: ids and folders come from outside. */
function quoted(word: string): string {
  return /^[\w./:@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function kib(bytes: number): string {
  return bytes < 1_048_576 ? `${(bytes / 1_024).toFixed(1)} KiB` : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}
