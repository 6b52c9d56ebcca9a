import { join } from 'node:path';
import { callControl, type ControlPlace, type Layout, type NetworkFolder, type NetworkStatus } from '@waymark/network';
import { measureRawOnChain } from '../bench/raw-on-chain.ts';
import { ledgerText } from '../start/closing-text.ts';
import { runMainJob, toJson } from '../start/main-job.ts';

const sample = join(import.meta.dirname, '..', '..', 'examples', 'samples', 'cold-chain.jsonld');
const fewestPayloads = 100;

/** What the demo runs on. */
export interface DemoRequest {
  readonly place: ControlPlace;
  readonly folder: NetworkFolder;
  readonly layout: Layout;
  readonly inputs: readonly string[];
  readonly json: boolean;
}

/** The main job on a network that runs: load, ask each kind of query, damage a stored byte and ask again. */
export async function demo(request: DemoRequest, say: (text: string) => void): Promise<number> {
  const startedMs = Date.now();
  const chainBytes = async (): Promise<number> =>
    ((await callControl(request.place, 'describe', undefined)) as { blockBytes: number }).blockBytes;
  const { folder, layout, place } = request;
  const { figures, sample: loaded } = await runMainJob(
    {
      topology: folder.topology,
      layout,
      chainBytes,
      startRest: () => Promise.resolve(),
      halt: async (name) => {
        await callControl(place, 'halt', { name });
      },
      resume: async (name) => {
        await callControl(place, 'resume', { name });
      },
      ledgers: async () => ((await callControl(place, 'status', undefined)) as NetworkStatus).ledgers,
    },
    request.inputs.length === 0 ? [sample] : request.inputs,
    startedMs,
    say,
  );
  say('measuring what the same records cost raw on a channel of their own');
  const { payloads } = loaded;
  const enough = Array.from(
    { length: Math.max(fewestPayloads, payloads.length) },
    (_, index) => payloads[index % payloads.length] as Uint8Array,
  );
  const rawOnChainBytes = Math.round((await measureRawOnChain(enough)).bytesPerRecord * figures.records);
  const { records, trusted, onChainBytes } = figures;
  process.stdout.write(
    request.json
      ? `${JSON.stringify({ runtime: request.folder.runtime, ...toJson(figures, rawOnChainBytes) })}\n`
      : `${records} records anchored, ${trusted.matched} of ${trusted.asked} proven; ${onChainBytes} B on the channel instead of ${rawOnChainBytes} B raw; fast: ${figures.fast.trust}; external: ${figures.external.opened} opened; tampering: ${figures.tamper.code}\n${ledgerText(figures)}`,
  );
  return 0;
}
