import { readdir, readFile, readlink } from 'node:fs/promises';

/** A socket of a process, as Linux tells it. */
export interface OpenSocket {
  readonly protocol: 'tcp' | 'udp';
  readonly local: string;
  readonly localPort: number;
  readonly remote: string;
  readonly listening: boolean;
}

/** Every internet socket a process has open; Linux only. */
export async function socketsOf(pid: number): Promise<OpenSocket[]> {
  const inodes = new Set<string>();
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  const found: OpenSocket[] = [];
  for (const table of ['tcp', 'tcp6', 'udp', 'udp6'] as const) {
    const lines = (await readFile(`/proc/${pid}/net/${table}`, 'utf8')).trim().split('\n').slice(1);
    for (const line of lines) {
      const [, local = '', remote = '', state, , , , , , inode = ''] = line.trim().split(/\s+/);
      if (!inodes.has(inode)) continue;
      const [localHost = '', localPort = ''] = local.split(':');
      found.push({
        protocol: table.startsWith('tcp') ? 'tcp' : 'udp',
        local: textOf(localHost),
        localPort: Number.parseInt(localPort, 16),
        remote: textOf(remote.split(':')[0] ?? ''),
        listening: state === '0A',
      });
    }
  }
  return found;
}

/** The kernel writes IPv4 as a little-endian hexadecimal number; what is not IPv4 stays as it is. */
function textOf(hex: string): string {
  const ipv4 = /^(?:0{16}FFFF0000)?([0-9A-F]{8})$/.exec(hex)?.[1];
  return ipv4 === undefined ? hex : [...Buffer.from(ipv4, 'hex')].reverse().join('.');
}
