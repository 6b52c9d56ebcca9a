import { type AnchorContract, createAnchorContract } from '@waymark/service-kit';
import type { Firm } from '../running-consortium.ts';
import { connectLedger } from '../trusted-reading.ts';
import type { LedgerConsortium } from './ledger-firm.ts';

/** A report against the firm's ledger as `anchors:listReports` gives it. */
export interface ListedReport {
  readonly kind: string;
  readonly height: number;
  readonly term: number;
  readonly center: string | null;
  readonly proven: boolean;
}

/** The reports against the firm's ledger, as the channel lists them. */
export async function listReports({ firm }: LedgerConsortium): Promise<readonly ListedReport[]> {
  const channel = connectLedger(firm, await firm.identity('reader'));
  try {
    const page = await channel.evaluate('anchors', 'listReports', [firm.mspId, '', '100']);
    return (JSON.parse(Buffer.from(page).toString('utf8')) as { items: ListedReport[] }).items;
  } finally {
    channel.close();
  }
}

/** Calls the contract `anchors` as a node of a firm. */
export async function asNode<T>(firm: Firm, node: string, work: (contract: AnchorContract) => Promise<T>): Promise<T> {
  const channel = connectLedger(firm, await firm.identity(node));
  try {
    return await work(createAnchorContract(channel, firm.mspId));
  } finally {
    channel.close();
  }
}
