import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WaymarkError } from '@waymark/protocol';
import type { Engine } from './engine.ts';
import { defaultFabricVersion, type Images, imagesOf } from './versions.ts';

const repository = join(import.meta.dirname, '..', '..', '..');
const buildTimeoutMs = 20 * 60_000;

/** The repository whose Dockerfiles build the services' images. */
export const buildContext = repository;

/**
 * The images of a network.
 *
 * @param fabricVersion an exact one; default: the newest that is tested
 * @throws WaymarkError `configuration-invalid`
 */
export async function networkImages(fabricVersion = defaultFabricVersion): Promise<Images> {
  if (!/^[23]\.\d{1,2}\.\d{1,3}$/.test(fabricVersion)) {
    throw new WaymarkError('configuration-invalid', `${fabricVersion} is not an exact version of Fabric 2 or 3`);
  }
  const { version } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as { version: string };
  return imagesOf(fabricVersion, version);
}

/** Builds the images of this repository; what has not changed is taken from the engine's cache. */
export async function buildImages(engine: Engine, images: Images, logFile: string): Promise<void> {
  await Promise.all(
    (['service', 'chaincode'] as const).map((kind) => {
      const dockerfile = join(repository, 'network', 'docker', `${kind}.Dockerfile`);
      const args = ['build', '--quiet', '--file', dockerfile, '--tag', images[kind], repository];
      return engine.docker(args, { timeoutMs: buildTimeoutMs, logFile, environment: builderOf(engine) });
    }),
  );
}

/** BuildKit is the builder since 23; before, it is there when asked for. */
function builderOf({ clientVersion }: Engine): Readonly<Record<string, string>> {
  return Number(clientVersion.split('.')[0]) < 23 ? { DOCKER_BUILDKIT: '1' } : {};
}
