import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import { type Command as CommanderCommand, Option } from 'commander';
import type * as Commands from './commands/identity.ts';
import type { Command } from './context.ts';

/** Gives a command its options in common, and runs it. */
export type Runs = <Options>(
  command: CommanderCommand,
  load: () => Promise<Command<Options>>,
  optionsOf: (positional: readonly unknown[], options: Record<string, unknown>) => NoInfer<Options>,
) => void;

/** Options of one of the commands; commander gives them by these names. */
type OptionsOf<Name extends keyof typeof Commands> = Parameters<(typeof Commands)[Name]>[1];

const roles = ['client', 'peer', 'orderer', 'admin'];
const reasons = [
  'unspecified',
  'keycompromise',
  'cacompromise',
  'affiliationchanged',
  'superseded',
  'cessationofoperation',
  'certificatehold',
  'privilegewithdrawn',
  'aacompromise',
];

/** `waymark identity`: certificates from the organisation's Fabric CA. */
export function addIdentityCommands(program: CommanderCommand, runs: Runs): void {
  const identity = program
    .command('identity')
    .description("Certificates from the organisation's Fabric CA: enrolment, renewal, revocation.")
    .enablePositionalOptions();
  const withAuthority = (command: CommanderCommand): CommanderCommand =>
    command
      .requiredOption('--ca <url>', 'address of the Fabric CA, https://HOST:PORT')
      .option('--ca-root <file>', 'CA of its TLS certificate, PEM')
      .option('--ca-name <name>', "which of the server's CAs (default: its default one)")
      .option('--plain-http', 'without TLS, to an address of this machine only');
  const asRegistrar = (command: CommanderCommand): CommanderCommand =>
    withAuthority(command).requiredOption('--as <folder>', "the registrar's identity");
  const withMsp = (command: CommanderCommand): CommanderCommand =>
    command
      .option('--msp-id <id>', "adds an MSP folder for Fabric's own programs")
      .option('--domain <name>', "the organisation's name in its file names")
      .option('--tls-root <file>', "CA of the organisation's TLS certificates (default: the same CA)");

  runs(
    asRegistrar(identity.command('register').description('Lets somebody enrol; the one-time secret goes into a file.'))
      .requiredOption('--id <enrolment id>', 'who')
      .addOption(new Option('--role <role>', 'MSP role in its certificates').choices(roles).default('client'))
      .option('--affiliation <path>', 'unit below the organisation, as the CA knows it')
      .option('--attribute <name=value...>', 'goes into its certificates', [])
      .option('--max-enrolments <number>', 'how often the secret may be used', '1')
      .requiredOption('--secret-out <file>', 'where the secret goes, mode 0600'),
    async () => (await load()).register,
    (_, options) => options as unknown as OptionsOf<'register'>,
  );
  runs(
    withMsp(withAuthority(identity.command('enrol').description('Gets the first certificate, for a key made here.')))
      .requiredOption('--id <enrolment id>', 'who')
      .requiredOption('--secret-file <file>', 'one-time secret, mode 0600; - is stdin')
      .option('--tls', 'a TLS certificate')
      .option('--host <name...>', 'DNS names and addresses in it', [])
      .requiredOption('--out <folder>', 'made for certificate and key'),
    async () => (await load()).enrol,
    (_, options) => options as unknown as OptionsOf<'enrol'>,
  );
  runs(
    withMsp(withAuthority(identity.command('renew').description('Gets another certificate for the same enrolment id.')))
      .requiredOption('--identity <folder>', 'the identity of now')
      .option('--tls <folder>', 'renews this TLS certificate instead, for the hosts it names')
      .option('--same-key', 'keeps the key (orderers know each other by it)')
      .requiredOption('--out <folder>', 'made for certificate and key'),
    async () => (await load()).renew,
    (_, options) => options as unknown as OptionsOf<'renew'>,
  );
  runs(
    asRegistrar(identity.command('revoke').description('Takes certificates back: all of an enrolment id, or one.'))
      .option('--id <enrolment id>', 'all of it, for good')
      .option('--certificate <file>', 'this one: PEM file, or folder of an identity')
      .option('--serial <hex>', 'this one, with --aki')
      .option('--aki <hex>', 'authority key id')
      .addOption(new Option('--reason <reason>', 'why').choices(reasons))
      .option('--crl-out <file>', 'also writes the revocation list'),
    async () => (await load()).revoke,
    (_, options) => options as unknown as OptionsOf<'revoke'>,
  );
  runs(
    asRegistrar(
      identity.command('crl').description('Writes the revocation list of now where services look for it.'),
    ).requiredOption('--out <file>', 'replaced as a whole'),
    async () => (await load()).crl,
    (_, options) => options as unknown as OptionsOf<'crl'>,
  );
  runs(
    identity
      .command('show')
      .description('What a certificate says, and the digest that the register takes.')
      .argument('<place>', 'PEM file, or folder of an identity'),
    async () => (await load()).show,
    ([place]) => ({ place: place as string }),
  );
}

/** Enrolment is an optional package: it brings a client of its own, with what that needs. */
async function load(): Promise<typeof Commands> {
  try {
    return await import('./commands/identity.ts');
  } catch (cause) {
    if (isWaymarkError(cause) || (cause as { readonly code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new WaymarkError('unsupported', 'Identity commands need the package @waymark/enrolment, which is not here.', {
      cause,
    });
  }
}
