/** The part of the Compose file format that is used here (compose-spec). */
export interface ComposeDocument {
  readonly name: string;
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly driver: 'bridge' }>>;
  readonly volumes: Readonly<Record<string, Readonly<Record<string, never>>>>;
}

/** One container. */
export interface ComposeService {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly hostname?: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly working_dir?: string;
  readonly user: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes: readonly ComposeMount[];
  readonly tmpfs: readonly string[];
  readonly ports: readonly string[];
  readonly networks?: Readonly<Record<string, { readonly aliases: readonly string[] } | null>>;
  readonly network_mode?: 'none';
  readonly depends_on: Readonly<Record<string, { readonly condition: DependencyCondition }>>;
  readonly healthcheck: Healthcheck | { readonly disable: true };
  readonly restart: 'unless-stopped' | 'no';
  readonly init: true;
  readonly read_only: true;
  readonly cap_drop: readonly ['ALL'];
  readonly cap_add?: readonly string[];
  readonly security_opt: readonly ['no-new-privileges:true'];
  readonly mem_limit: string;
  readonly pids_limit: number;
  readonly stop_grace_period: string;
  readonly logging: {
    readonly driver: 'json-file';
    readonly options: { readonly 'max-size': string; readonly 'max-file': string };
  };
}

export type DependencyCondition = 'service_started' | 'service_healthy' | 'service_completed_successfully';

/** A check that runs inside the container. */
export interface Healthcheck {
  readonly test: readonly ['CMD', ...string[]];
  readonly interval: string;
  readonly timeout: string;
  readonly retries: number;
  readonly start_period: string;
}

/** A folder of this machine, or a named volume. */
export type ComposeMount =
  | {
      readonly type: 'bind';
      readonly source: string;
      readonly target: string;
      readonly read_only: boolean;
      readonly bind: { readonly create_host_path: false };
    }
  | {
      readonly type: 'volume';
      readonly source: string;
      readonly target: string;
      /** The image's owner of the folder must not become the volume's. */
      readonly volume: { readonly nocopy: true };
    };
