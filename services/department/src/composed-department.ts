import type { Component } from '@waymark/service-kit';

/** A department that is put together and can be started. */
export interface Department {
  readonly components: readonly Component[];
  /** Known once the components are started. */
  readonly ports: () => { grpc: number; api: number; operations: number };
}
