import { resolve } from 'node:path';
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { Command, InvalidArgumentError } from 'commander';
import { describeNetwork, printNetwork } from './cli/describe-network.ts';
import { parseChaincode, startChaincodes, type ChaincodeArgument } from './cli/chaincodes.ts';
import { codeOf, messageOf } from './errors.ts';
import { startDevnet } from './network/start-devnet.ts';

interface CliOptions {
  readonly org: readonly string[];
  readonly peersPerOrg: number;
  readonly channel: string;
  readonly chaincode: readonly ChaincodeArgument[];
  readonly policy: Readonly<Record<string, string>>;
  readonly batchTimeout: number;
  readonly host: string;
  readonly data: string;
  readonly json: boolean;
}

const NOTICE =
  'devnet is for development, evaluation and tests. It is not a production network: use Hyperledger Fabric.';

const program = new Command('waymark-devnet')
  .description(`A Hyperledger Fabric network in one process. ${NOTICE}`)
  .option('--org <name>', 'an organisation, for example Org1 (MSP id Org1MSP); repeat for more', collect, [])
  .option('--peers-per-org <n>', 'peers of each organisation', positiveInteger, 1)
  .option('--channel <name>', 'name of the channel', 'mychannel')
  .option(
    '--chaincode <name=where>',
    'a chaincode: host:port of its server, or a folder to start it from; repeat for more',
    (value: string, previous: readonly ChaincodeArgument[]) => [...previous, asArgument(() => parseChaincode(value))],
    [],
  )
  .option(
    '--policy <name=policy>',
    "endorsement policy of a chaincode, for example assets=\"OR('Org1MSP.peer', 'Org2MSP.peer')\"; default: a majority of the organisations",
    (value: string, previous: Readonly<Record<string, string>>) => {
      const at = value.indexOf('=');
      if (at <= 0) throw new InvalidArgumentError('expected name=policy');
      return { ...previous, [value.slice(0, at)]: value.slice(at + 1) };
    },
    {},
  )
  .option('--batch-timeout <ms>', 'time after which a block is cut', positiveInteger, 250)
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--data <dir>', 'folder for certificates, keys and ledgers', '.devnet')
  .option('--json', 'print the connection details as one line of JSON', false)
  .addHelpText(
    'after',
    `
Runs until it is interrupted (Ctrl-C); with the same folder and options it goes on where it stopped.
Exit codes: 0 stopped as asked, 1 failed, 2 wrong usage.

Example:
  waymark-devnet --org Org1 --org Org2 --chaincode assets=127.0.0.1:9999`,
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

// What concerns the user is said by devnet itself.
setLogVerbosity(logVerbosity.NONE);
const options = program.parse().opts<CliOptions>();
try {
  await run(options);
} catch (error) {
  const found = codeOf(error);
  const code = typeof found === 'string' ? found : 'FAILED';
  if (options.json) process.stdout.write(`${JSON.stringify({ code, message: messageOf(error) })}\n`);
  log(`${code}: ${messageOf(error)}`);
  process.exitCode = 1;
}

async function run(cli: CliOptions): Promise<void> {
  if (cli.org.length === 0) {
    log('error: at least one --org is needed; see --help');
    process.exitCode = 2;
    return;
  }
  log(NOTICE);
  const interrupted = nextSignal();
  const chaincodes = await startChaincodes(cli.chaincode, log);
  try {
    const started = performance.now();
    const devnet = await startDevnet({
      dataDir: resolve(cli.data),
      channel: cli.channel,
      host: cli.host,
      batch: { timeoutMs: cli.batchTimeout },
      organisations: cli.org.map((name) => ({
        mspId: name.endsWith('MSP') ? name : `${name}MSP`,
        peers: Array.from({ length: cli.peersPerOrg }, (_, index) => ({ name: `peer${index}` })),
      })),
      chaincodes: chaincodes.addresses.map(({ name, address, packageId }) => {
        const endorsementPolicy = cli.policy[name];
        return {
          name,
          address,
          ...(packageId === undefined ? {} : { packageId }),
          ...(endorsementPolicy === undefined ? {} : { endorsementPolicy }),
        };
      }),
    });
    devnet.events.on('chaincode', ({ peer, chaincode, state }) => {
      log(`${peer}: chaincode ${chaincode} ${state.kind === 'ready' ? `is ready (${state.packageId})` : 'is away'}`);
    });
    devnet.events.on('failed', ({ peer, error }) => log(`${peer} has stopped: ${error.message}`));
    devnet.events.on('ordererFailed', ({ orderer, error }) => log(`${orderer} has stopped: ${error.message}`));
    log(`started in ${Math.round(performance.now() - started)} ms; stop with Ctrl-C`);
    const description = describeNetwork(devnet);
    if (cli.json) process.stdout.write(`${JSON.stringify(description)}\n`);
    else process.stdout.write(printNetwork(description));
    log(`${await interrupted}: stopping`);
    await devnet.stop();
  } finally {
    await chaincodes.stop();
  }
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolveSignal) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolveSignal(signal));
  });
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

function positiveInteger(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError('expected a positive whole number');
  return Number(value);
}

function asArgument<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
}

/** Everything but the connection details goes to stderr. */
function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
