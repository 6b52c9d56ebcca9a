import { runCli } from './cli/program.ts';

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  // Not opened before a command reads it.
  get stdin() {
    return process.stdin;
  },
  env: process.env,
});
