import { isWaymarkError } from '@waymark/protocol';
import { Command as CommanderCommand, CommanderError, Option } from 'commander';
import type { SubmitState } from '../submit/submit-records.ts';
import type { CommandContext } from './context.ts';
import { type ExitCode, exitCodeFor, exitCodeMeanings, exitCodes } from './exit-codes.ts';
import { addIdentityCommands, type Runs } from './identity-program.ts';
import { addLedgerCommands } from './ledger-program.ts';
import { type CliIo, createOutput, notice, shownError } from './output.ts';

const exitCodeHelp = `
Exit codes:
${Object.entries(exitCodeMeanings)
  .map(([code, meaning]) => `  ${code}  ${meaning}`)
  .join('\n')}

The profile says whom to talk to, and as whom: --profile FILE, else $WAYMARK_PROFILE, else ./.waymark/profile.yaml.
With --json the last line of stdout is the result, or {code, message, file?, place?}; all else goes to stderr.

${notice}`;

const version = '0.1.0';

/**
 * Runs the command line.
 * @param args without the interpreter and the script
 * @returns the exit code; the process is not ended here
 */
export async function runCli(args: readonly string[], io: CliIo): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.done;
  const program = createProgram(io, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return usageExit(error, args, io);
    createOutput(io, args.includes('--json')).failure(error);
    if (isWaymarkError(error) && error.details['usage'] === true) return exitCodes.usage;
    return exitCodeFor(shownError(error).code);
  }
}

function usageExit(error: CommanderError, args: readonly string[], io: CliIo): ExitCode {
  if (error.exitCode === 0) return exitCodes.done;
  if (args.includes('--json')) {
    const message = error.message.replace(/^error: /, '').slice(0, 1_000);
    io.stdout.write(`${JSON.stringify({ code: 'input-invalid', message })}\n`);
  }
  return exitCodes.usage;
}

function createProgram(io: CliIo, finish: (code: ExitCode) => void): CommanderCommand {
  const program = new CommanderCommand('waymark')
    .description('Submits shipment records, traces them, and answers questions of outsiders.')
    .version(version)
    .enablePositionalOptions()
    .showHelpAfterError('(waymark --help explains)')
    .addHelpText('after', exitCodeHelp);

  /** The code of a command is loaded when it is used. */
  const runs: Runs = (command, load, optionsOf) => {
    command
      .option('--profile <file>', 'the profile to use')
      .option('--json', 'one line of JSON as the last line of stdout')
      .action(async (...given: unknown[]) => {
        const options = command.opts<Record<string, unknown>>();
        const { profile } = options;
        const { profileFileOf } = await import('./context.ts');
        const context: CommandContext = {
          io,
          output: createOutput(io, options['json'] === true),
          profileFile: profileFileOf(io, typeof profile === 'string' ? profile : undefined),
        };
        const run = await load();
        finish(await run(context, optionsOf(given.slice(0, -2), options)));
      });
  };
  const queryOptions = (command: CommanderCommand): CommanderCommand =>
    command
      .option('--event <id>', 'the event id')
      .option('--id <type=value>', 'a business id, such as sscc=095212345678901234 or consignment=NAME')
      .option('--oid <hex>', 'the record oid');
  const outOption = ['--out <file>', 'where to write it (default: stdout)'] as const;
  const askerOption = ['--asker <file>', "the asker's keys (waymark keygen --asker FILE)"] as const;

  runs(
    program
      .command('submit')
      .description('Submits the records of files: EPCIS 2.0 JSON, the Cargo 2000 table, or records as JSON.')
      .argument('<file...>')
      .addOption(
        new Option('--until <state>', 'wait for').choices(['accepted', 'confirmed', 'anchored']).default('anchored'),
      ),
    async () => (await import('./commands/submit.ts')).submit,
    ([files], { until }) => ({ files: files as string[], until: until as SubmitState }),
  );
  runs(
    queryOptions(
      program
        .command('trace')
        .description('Asks for records; with files: asks for every record in them and compares content digests.')
        .argument('[file...]'),
    )
      .addOption(new Option('--trusted', 'prove every record against the channel (default)').conflicts('fast'))
      .option('--fast', 'one request to one node; unverified')
      .option('--show', 'print the content as well'),
    async () => (await import('./commands/trace.ts')).trace,
    ([files], { fast, show, ...query }) => ({
      ...query,
      files: files as string[],
      mode: fast === true ? ('fast' as const) : ('trusted' as const),
      show: show === true,
    }),
  );

  const external = program
    .command('external')
    .description('External queries, of askers outside the consortium.')
    .enablePositionalOptions();
  runs(
    queryOptions(external).option(...askerOption),
    async () => (await import('./commands/external.ts')).external,
    (_, options) => options,
  );
  runs(
    queryOptions(external.command('request').description('The asker: signs a question.'))
      .requiredOption(...askerOption)
      .option('--channel <name>', 'the channel (default: of the profile)')
      .option('--msp <id>', 'the firm that is asked (default: of the profile)')
      .option(...outOption),
    async () => (await import('./commands/external.ts')).externalRequest,
    (_, options) => options as { asker: string },
  );
  runs(
    external
      .command('send')
      .description('A client of the firm: posts the question, gets the sealed answer.')
      .argument('<request>', 'file with the question')
      .option(...outOption),
    async () => (await import('./commands/external.ts')).externalSend,
    ([request], options) => ({ ...options, request: request as string }),
  );
  runs(
    external
      .command('open')
      .description('The asker: opens the answer.')
      .argument('<answer>', 'file with the answer')
      .requiredOption('--request <file>', 'the question it answers')
      .requiredOption(...askerOption)
      .option('--root <file...>', "CA of the firm, PEM (default: the profile's)"),
    async () => (await import('./commands/external.ts')).externalOpen,
    ([answer], options) => ({ ...(options as { asker: string; request: string }), answer: answer as string }),
  );

  runs(
    program
      .command('allow')
      .description("The outlet: says who may ask external queries for a consignment's records; without one, lists.")
      .option('--consignment <name>', 'the consignment; what was said of it before is replaced')
      .option('--asker <key...>', "key ids, or files with askers' keys; none: nobody may ask", []),
    async () => (await import('./commands/allow.ts')).allow,
    (_, { consignment, asker }) => ({
      askers: asker as string[],
      ...(typeof consignment === 'string' ? { consignment } : {}),
    }),
  );
  runs(
    program
      .command('keygen')
      .description("Makes the reader's encryption key, or an asker's keys. Never overwrites.")
      .argument('[file]', "where to (default: the profile's encryptionKeyFile)")
      .option('--asker <file>', 'makes the keys of an asker outside the consortium instead'),
    async () => (await import('./commands/keygen.ts')).keygen,
    ([file], { asker }) => ({
      ...(typeof file === 'string' ? { file } : {}),
      ...(typeof asker === 'string' ? { asker } : {}),
    }),
  );
  runs(
    program.command('status').description('What the service behind the profile says of itself.'),
    async () => (await import('./commands/status.ts')).status,
    () => ({}),
  );
  runs(
    program.command('validate').description('Reads files as submit would, without a network.').argument('<file...>'),
    async () => (await import('./commands/validate.ts')).validate,
    ([files]) => ({ files: files as string[] }),
  );

  addLedgerCommands(program, runs);
  addIdentityCommands(program, runs);

  forEachCommand(program, (command) => {
    command.exitOverride();
    command.configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    });
  });
  return program;
}

function forEachCommand(command: CommanderCommand, visit: (command: CommanderCommand) => void): void {
  visit(command);
  for (const child of command.commands) forEachCommand(child, visit);
}
