/**
 * Runs a node from its folder, the same as a process and in a container. The repository is made under another name, so
 * that one that was begun and not finished is made again; configuration and key are taken over at every start.
 *
 *     sh <node folder>/start.sh <data folder>
 *
 * `KUBO_PROGRAM` names the program; default: `ipfs` on PATH. The script becomes the daemon: signals reach it.
 */
export function startScript(offline: boolean): string {
  return `#!/bin/sh
# Runs this kubo daemon: sh start.sh <data folder>
set -eu
umask 077
node=$(cd "$(dirname "$0")" && pwd)
ipfs=\${KUBO_PROGRAM:-ipfs}
repository=$1/repository

if [ ! -e "$repository" ]; then
  rm -rf "$repository.new"
  mkdir -p "$repository.new"
  IPFS_PATH="$repository.new" "$ipfs" init --empty-repo "$node/config.json"
  mv "$repository.new" "$repository"
fi
for file in config swarm.key; do
  from=$node/$file
  if [ "$file" = config ]; then from=$node/config.json; fi
  cp "$from" "$repository/$file.new"
  chmod 600 "$repository/$file.new"
  mv "$repository/$file.new" "$repository/$file"
done
rm -f "$repository/api" "$repository/gateway"

export IPFS_PATH="$repository" LIBP2P_FORCE_PNET=1 IPFS_TELEMETRY=off
exec "$ipfs" daemon --migrate=true --enable-gc=false${offline ? ' --offline' : ''}
`;
}
