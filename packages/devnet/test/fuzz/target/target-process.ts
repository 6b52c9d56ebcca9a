import { setTimeout as sleep } from 'node:timers/promises';
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { startDevnet, type DevnetOptions } from '@waymark/devnet';
import type { Answer, Measurement, Question } from './messages.ts';

/** A devnet in a process of its own, told by messages: `target-process.ts OPTIONS`. An uncaught error ends it. */
setLogVerbosity(logVerbosity.NONE);
const options = JSON.parse(process.argv[2] ?? '') as DevnetOptions;
const devnet = await startDevnet(options);
const leaked: Buffer[] = [];
const tell = (answer: Answer) => process.send?.(answer);

async function measure(): Promise<Measurement> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await sleep(20);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  const resources: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  return { rssBytes: rss, heapBytes: heapUsed, externalBytes: external, resources };
}

/** Defects that a run must find: they show that it can. */
function plant(defect: 'throw' | 'reject' | 'leak'): void {
  if (defect === 'throw')
    setTimeout(() => {
      throw new Error('planted');
    }, 50);
  else if (defect === 'reject') setTimeout(() => void Promise.reject(new Error('planted')), 50);
  else setInterval(() => leaked.push(Buffer.alloc(1024 * 1024, 1)), 5);
}

process.on('message', (question: Question) => {
  const { id } = question;
  if (question.ask === 'measure') void measure().then((measurement) => tell({ id, measurement }));
  else if (question.ask === 'heights') {
    const heights = Object.fromEntries(
      Object.entries(devnet.heights()).map(([name, height]) => [name, Number(height)]),
    );
    tell({ id, heights });
  } else if (question.ask === 'plant') {
    plant(question.defect);
    tell({ id, done: true });
  } else {
    void devnet.stop().then(() => {
      tell({ id, done: true });
      process.disconnect();
    });
  }
});
process.on('disconnect', () => process.exit());
devnet.events.on('failed', ({ peer, error }) => tell({ failedPeer: peer, reason: error.message }));

const [first] = devnet.organisations;
if (first === undefined) throw new Error('a network has an organisation');
const identity = ({ certificatePem, privateKeyPem }: typeof first.user) => ({
  mspId: first.mspId,
  certificatePem,
  privateKeyPem,
});
tell({
  ready: {
    channel: devnet.channel,
    orderer: devnet.orderer,
    peers: devnet.organisations.flatMap(({ peers }) => peers),
    user: identity(first.user),
    admin: identity(first.admin),
  },
});
