import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { peer } from '@hyperledger/fabric-protos';
import type { DevnetOptions } from '@waymark/devnet';
import { startScriptedChaincode, type ScriptedChaincode } from '../../harness/scripted-chaincode.ts';
import { temporaryFolder } from '../../harness/network.ts';
import type { Answer, Measurement, Question, TargetDescription } from './messages.ts';

const ENTRY = join(import.meta.dirname, 'target-process.ts');
const START_TIMEOUT_MS = 30_000;
const ANSWER_TIMEOUT_MS = 15_000;
export const CHAINCODE = 'ledgerkeeper';
export const HOSTILE_CHAINCODE = 'hostile';

/** A devnet in a process of its own, as seen from outside: alive or not, how large, and what it said. */
export interface Target extends TargetDescription {
  readonly stderr: () => string;
  /** Why the process is not well, or undefined: it has ended, a peer stopped, or it complained. */
  readonly complaint: () => string | undefined;
  measure(): Promise<Measurement>;
  heights(): Promise<Readonly<Record<string, number>>>;
  plant(defect: 'throw' | 'reject' | 'leak'): Promise<void>;
  stop(): Promise<void>;
}

/** Starts two organisations of one peer each, one well-behaved chaincode, and one at `hostileAddress`. */
export async function startTarget(options: { hostileAddress?: string } & Partial<DevnetOptions> = {}): Promise<Target> {
  const { hostileAddress, ...rest } = options;
  const dataDir = await temporaryFolder();
  const chaincode = await startKeeper();
  const devnetOptions: DevnetOptions = {
    dataDir,
    organisations: [{ mspId: 'Org1MSP' }, { mspId: 'Org2MSP' }],
    chaincodes: [
      { name: CHAINCODE, address: chaincode.address },
      ...(hostileAddress === undefined ? [] : [{ name: HOSTILE_CHAINCODE, address: hostileAddress }]),
    ],
    batch: { timeoutMs: 20 },
    executeTimeoutMs: 1_000,
    launchTimeoutMs: 300,
    ...rest,
  };
  const child = spawn(process.execPath, ['--expose-gc', ENTRY, JSON.stringify(devnetOptions)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  return connectTarget(child, async () => {
    chaincode.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
}

async function connectTarget(child: ChildProcess, cleanUp: () => Promise<void>): Promise<Target> {
  let stderr = '';
  let failure: string | undefined;
  let stopping = false;
  let nextId = 1;
  const waiting = new Map<number, (answer: Answer) => void>();
  let ready: (description: TargetDescription) => void = () => undefined;
  const exited = once(child, 'exit');
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.on('message', (answer: Answer) => {
    if ('ready' in answer) ready(answer.ready);
    else if ('failedPeer' in answer) failure ??= `${answer.failedPeer} has stopped: ${answer.reason}`;
    else waiting.get(answer.id)?.(answer);
  });
  child.on('exit', (code, signal) => {
    if (!stopping) failure ??= `the process ended with ${String(code ?? signal)}`;
  });
  const complaint = () =>
    failure === undefined && stderr === '' ? undefined : `${failure ?? 'it complained'}\n${stderr.slice(-4000)}`;
  const within = <T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`${what}: no answer in ${timeoutMs} ms. ${complaint() ?? ''}`)),
        timeoutMs,
      );
    });
    const ended = exited.then(() => Promise.reject(new Error(`${what}: ${complaint() ?? 'the process has ended'}`)));
    ended.catch(() => undefined);
    return Promise.race([promise, late, ended]).finally(() => clearTimeout(timer));
  };
  const ask = (question: Question): Promise<Answer> => {
    const answered = new Promise<Answer>((resolve) => waiting.set(question.id, resolve));
    if (child.connected) child.send(question);
    return within(answered, ANSWER_TIMEOUT_MS, question.ask).finally(() => waiting.delete(question.id));
  };
  const description = await within(
    new Promise<TargetDescription>((resolve) => (ready = resolve)),
    START_TIMEOUT_MS,
    'start',
  );
  return {
    ...description,
    stderr: () => stderr,
    complaint,
    measure: async () => {
      const answer = await ask({ id: nextId++, ask: 'measure' });
      if (!('measurement' in answer)) throw new Error('not what was asked');
      return answer.measurement;
    },
    heights: async () => {
      const answer = await ask({ id: nextId++, ask: 'heights' });
      if (!('heights' in answer)) throw new Error('not what was asked');
      return answer.heights;
    },
    plant: async (defect) => {
      await ask({ id: nextId++, ask: 'plant', defect });
    },
    stop: async () => {
      stopping = true;
      if (child.connected) await ask({ id: nextId++, ask: 'stop' }).catch(() => undefined);
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
      await cleanUp();
    },
  };
}

/** `put key value`, `get key`, `range`; anything else is an error of the chaincode. */
function startKeeper(): Promise<ScriptedChaincode> {
  const { Type } = peer.ChaincodeMessage;
  return startScriptedChaincode('keeper_1.0:00ff', async ({ args: [name, key = '', value = ''], ask }) => {
    if (name === 'put') {
      const request = new peer.PutState();
      request.setKey(key);
      request.setValue(Buffer.from(value));
      await ask(Type.PUT_STATE, request.serializeBinary());
      return value;
    }
    if (name === 'get') {
      const request = new peer.GetState();
      request.setKey(key);
      return Buffer.from((await ask(Type.GET_STATE, request.serializeBinary())).getPayload_asU8()).toString();
    }
    if (name === 'range') {
      const request = new peer.GetStateByRange();
      return (await ask(Type.GET_STATE_BY_RANGE, request.serializeBinary())).getPayload_asU8().length.toString();
    }
    return new Error('no such function');
  });
}
