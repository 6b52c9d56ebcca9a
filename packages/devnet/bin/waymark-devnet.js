#!/usr/bin/env node
// The sources are TypeScript, which Node runs directly from version 24 on.
if (process.features.typescript) {
  await import('../src/cli.ts');
} else {
  process.stderr.write(`waymark-devnet needs Node 24 or newer, this is ${process.version}\n`);
  process.exitCode = 1;
}
