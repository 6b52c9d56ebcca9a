import { type Command as CommanderCommand, InvalidArgumentError } from 'commander';
import type { Runs } from './identity-program.ts';

const positive =
  (max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^[0-9]{1,15}$/.test(text) || value < 1 || value > max)
      throw new InvalidArgumentError(`expected a whole number from 1 to ${max}`);
    return value;
  };
const maxTimeoutSeconds = 86_400;

type Options = Record<string, unknown>;
const text = (options: Options, key: string): string | undefined =>
  typeof options[key] === 'string' ? options[key] : undefined;
const number = (options: Options, key: string): number | undefined =>
  typeof options[key] === 'number' ? options[key] : undefined;

/** `waymark ledger`: the firm's private ledger. */
export function addLedgerCommands(program: CommanderCommand, runs: Runs): void {
  const ledger = program
    .command('ledger')
    .description("The firm's private ledger: how it stands, its blocks, full check, members, backup.")
    .enablePositionalOptions();
  const atMember = (command: CommanderCommand): CommanderCommand =>
    command.option('--api <url>', "REST of the member that is asked (default: the profile's)");
  const change = (command: CommanderCommand): CommanderCommand =>
    atMember(command).option(
      '--timeout <seconds>',
      'how long to wait until it is done',
      positive(maxTimeoutSeconds),
      60,
    );
  const offline = (command: CommanderCommand): CommanderCommand =>
    command.option(
      '--without-channel',
      'do not ask the channel: compare with the anchors that folder or backup remember',
    );
  const api = (options: Options) => ({ api: text(options, 'api') });
  const changeOf = ([member]: readonly unknown[], options: Options) => ({
    ...api(options),
    member: member as string,
    timeoutMs: (number(options, 'timeout') ?? 60) * 1_000,
  });

  runs(
    atMember(
      ledger
        .command('status')
        .description('Who is in office, heights, members with their lag, alerts; from any member.'),
    ),
    async () => (await import('./commands/ledger.ts')).ledgerStatus,
    (_, options) => api(options),
  );
  runs(
    atMember(ledger.command('blocks').description('Lists blocks; without --from the newest.'))
      .option('--from <height>', 'the first one', positive(Number.MAX_SAFE_INTEGER))
      .option('--limit <number>', 'how many (default: 20)', positive(200)),
    async () => (await import('./commands/ledger.ts')).ledgerBlocks,
    (_, options) => ({ ...api(options), from: number(options, 'from'), limit: number(options, 'limit') }),
  );
  runs(
    atMember(
      ledger
        .command('show')
        .description('One block: submissions, rejected records with their reasons, seals. No content.')
        .argument('<block>', 'height or hash'),
    ),
    async () => (await import('./commands/ledger.ts')).ledgerShow,
    ([block], options) => ({ ...api(options), block: block as string }),
  );
  runs(
    offline(
      atMember(
        ledger
          .command('verify')
          .description(
            "Checks a member's whole chain on its disk against the channel. Exit code 7 when something is wrong.",
          ),
      ),
    )
      .option('--config <file>', "without a running service: the service's configuration file, for keys and trust")
      .option(
        '--folder <dir>',
        "with --config: data folder, chain or backup (default: the configuration's data folder)",
      ),
    async () => (await import('./commands/ledger-check.ts')).ledgerVerify,
    (_, options) => ({
      ...api(options),
      config: text(options, 'config'),
      folder: text(options, 'folder'),
      withoutChannel: options['withoutChannel'] === true,
    }),
  );
  runs(
    change(
      ledger
        .command('hand-over')
        .description('At the center in office: hands the office over. Administrators and centers.')
        .argument('<member>', 'who takes it'),
    ),
    async () => (await import('./commands/ledger-members.ts')).ledgerHandOver,
    changeOf,
  );
  runs(
    change(
      ledger
        .command('add-member')
        .description(
          'At the center in office: admits a registered node, waits until it has all blocks, makes it count.',
        )
        .argument('<id>', 'its enrolment id'),
    )
      .option('--certificate <file...>', 'its identity certificates: tells the channel first, as administrator', [])
      .option('--eligible', 'it may become center, after those that may already')
      .option('--admin-profile <file>', "the administrator's profile for that (default: --profile)"),
    async () => (await import('./commands/ledger-members.ts')).ledgerAddMember,
    (positional, options) => ({
      ...changeOf(positional, options),
      certificates: options['certificate'] as string[],
      adminProfile: text(options, 'adminProfile'),
      eligible: options['eligible'] === true,
    }),
  );
  runs(
    change(
      ledger
        .command('remove-member')
        .description('At the center in office: removes a member, such as one that lost its disk.')
        .argument('<id>', 'its enrolment id'),
    ),
    async () => (await import('./commands/ledger-members.ts')).ledgerRemoveMember,
    changeOf,
  );
  runs(
    atMember(
      ledger
        .command('backup')
        .description('The running member writes a backup to <dataFolder>/backups/<name>. Administrators and centers.')
        .argument('<name>', 'of the folder'),
    ),
    async () => (await import('./commands/ledger-check.ts')).ledgerBackup,
    ([name], options) => ({ ...api(options), name: name as string }),
  );
  runs(
    offline(
      ledger
        .command('restore')
        .description('Makes the ledger of a data folder from a backup, once all of it was verified.')
        .argument('<backup>', 'folder of the backup'),
    )
      .requiredOption('--folder <dir>', 'data folder that gets it; holds no ledger yet')
      .requiredOption('--config <file>', "a service's configuration file, for keys and trust"),
    async () => (await import('./commands/ledger-check.ts')).ledgerRestore,
    ([backup], options) => ({
      backup: backup as string,
      folder: options['folder'] as string,
      config: text(options, 'config'),
      withoutChannel: options['withoutChannel'] === true,
    }),
  );
}
