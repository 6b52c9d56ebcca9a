#!/usr/bin/env node
// Plain JavaScript that old versions of Node understand as well: it finds a Node that runs the sources.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const oldestMajor = 24;

if (Number(process.versions.node.split('.')[0]) >= oldestMajor) {
  hideNoise();
  nodeModule.enableCompileCache();
  await import('../src/cli.ts');
} else {
  const bundled = process.env.WAYMARK_REEXECUTED === undefined ? bundledNode() : undefined;
  if (bundled === undefined) {
    console.error(
      `waymark needs Node ${oldestMajor} or later; this is ${process.versions.node}. "npm ci" brings one along.`,
    );
    process.exitCode = 4;
  } else {
    const { status, signal } = spawnSync(bundled, process.argv.slice(1), {
      stdio: 'inherit',
      env: { ...process.env, WAYMARK_REEXECUTED: '1' },
    });
    if (signal !== null) process.kill(process.pid, signal);
    else process.exitCode = status === null ? 1 : status;
  }
}

/** The Node that came with `npm ci`, in the nearest node_modules upwards. */
function bundledNode() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, 'node_modules', '.bin', name);
    if (existsSync(file)) return file;
    if (folder === dirname(folder)) return undefined;
  }
}

function hideNoise() {
  const others = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    // DEP0123: the gRPC library names an IP address in the TLS handshake.
    if (warning.name !== 'ExperimentalWarning' && warning.code !== 'DEP0123')
      for (const listener of others) listener.call(process, warning);
  });
}
