/**
 * Loaded before a center's program (`--import FILE?folder=PATH&victim=ID`): the program is the shipped one, but what it says to the other members goes
 * through `lying-peers.ts`.
 */
import { registerHooks } from 'node:module';

const lies = new URL(`./lying-peers.ts${new URL(import.meta.url).search}`, import.meta.url).href;
const honest = '/packages/ledger-member/src/peers/create-peers.ts';

registerHooks({
  load(url, context, next) {
    if (!url.endsWith(honest)) return next(url, context);
    const source = [
      `import { createPeers as honest } from ${JSON.stringify(`${url}?honest`)};`,
      `import { lying } from ${JSON.stringify(lies)};`,
      'export const createPeers = (options) => lying(options, honest);',
    ].join('\n');
    return { format: 'module', source, shortCircuit: true };
  },
});
