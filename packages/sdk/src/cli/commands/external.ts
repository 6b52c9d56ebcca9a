import { readFile, writeFile } from 'node:fs/promises';
import { contentDigest, WaymarkError } from '@waymark/protocol';
import { certificateVerifier, type CertificateVerifier, type OpenedExternalAnswer } from '@waymark/vault';
import { readProfileFile, readVerifiers } from '../../connection/identity.ts';
import { createExternalRequest, openExternalAnswer, parseExternalMessage } from '../../external/external.ts';
import { readAskerKeys } from '../../keys/asker-keys.ts';
import {
  type Command,
  type CommandContext,
  profileIfAny,
  type QueryOptions,
  requiredQuery,
  usageError,
  withConnection,
} from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { notice, printable, table } from '../output.ts';

interface AskerOption {
  /** File with the asker's keys. */
  readonly asker: string;
}
interface OutOption {
  /** Where to write the message; stdout when absent. */
  readonly out?: string;
}

/** `waymark external`: asks, sends and opens in one go, where asker and client are at the same desk. */
export const external: Command<QueryOptions & Partial<AskerOption>> = async (context, options) => {
  if (options.asker === undefined) throw usageError("Name the file with the asker's keys: --asker.");
  const asker = await readAskerKeys(options.asker);
  const query = requiredQuery(options);
  const opened = await withConnection(context, (waymark) => waymark.externalQuery(query, asker));
  return show(context, opened, true);
};

/** `waymark external request`: what the asker does; needs no profile. */
export const externalRequest: Command<
  QueryOptions & AskerOption & OutOption & { readonly channel?: string; readonly msp?: string }
> = async (context, options) => {
  const asker = await readAskerKeys(options.asker);
  const profile = profileIfAny(context);
  const channel = options.channel ?? profile?.channel;
  const msp = options.msp ?? profile?.mspId;
  if (channel === undefined || msp === undefined) {
    throw usageError('Say whom to ask: --channel and --msp, or a profile.');
  }
  return hand(context, await createExternalRequest(requiredQuery(options), { channel, msp }, asker), options.out);
};

/** `waymark external send`: what a client of the firm does. */
export const externalSend: Command<OutOption & { readonly request: string }> = async (context, { request, out }) => {
  const message = parseExternalMessage('request', await readMessage(request));
  return hand(context, await withConnection(context, (waymark) => waymark.sendExternalRequest(message)), out);
};

/** `waymark external open`: what the asker does with the answer; needs no profile when it is given the firm's root. */
export const externalOpen: Command<
  AskerOption & { readonly answer: string; readonly request: string; readonly root?: readonly string[] }
> = async (context, options) => {
  const asker = await readAskerKeys(options.asker);
  const { nonce, msp } = parseExternalMessage('request', await readMessage(options.request));
  const answer = parseExternalMessage('answer', await readMessage(options.answer));
  const verifier = verifierOf(context, msp, options.root ?? []);
  return show(context, await openExternalAnswer(answer, { nonce, asker, verifier }), verifier !== undefined);
};

function verifierOf(
  context: CommandContext,
  msp: string,
  rootFiles: readonly string[],
): CertificateVerifier | undefined {
  if (rootFiles.length > 0) return certificateVerifier({ rootsPem: rootFiles.map(readProfileFile) });
  const profile = profileIfAny(context);
  return profile === undefined ? undefined : readVerifiers(profile)(msp);
}

async function readMessage(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new WaymarkError('input-invalid', `${file}: the file cannot be read`, { details: { file }, cause });
  }
}

async function hand({ output }: CommandContext, message: object, out: string | undefined): Promise<ExitCode> {
  const text = JSON.stringify(message);
  if (out === undefined) output.result(message, [text]);
  else {
    try {
      await writeFile(out, `${text}\n`);
    } catch (cause) {
      throw new WaymarkError('input-invalid', `${out}: cannot be written`, { details: { file: out }, cause });
    }
    output.result({ written: out }, [`written to ${out}`]);
  }
  return exitCodes.done;
}

function show({ output }: CommandContext, opened: OpenedExternalAnswer, outletVerified: boolean): ExitCode {
  const { recordOid, evidenceId, content } = opened;
  const digest = contentDigest(content.payload);
  output.result({ opened: true, outletVerified, recordOid, evidenceId, contentDigest: digest, content, notice }, [
    ...table([
      ['eventId', content.eventId],
      ['recordOid', recordOid],
      ['evidenceId', evidenceId],
      ['contentDigest', digest],
    ]),
    printable(JSON.stringify(content.payload)),
    outletVerified
      ? "The outlet's certificate was issued by its firm's CA."
      : 'Nobody has checked whose the signing certificate is: give --root with the CA of the firm.',
    notice,
  ]);
  return exitCodes.done;
}
