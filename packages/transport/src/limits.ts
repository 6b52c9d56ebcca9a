import type { ChannelOptions } from '@grpc/grpc-js';

/** Greatest size of one message of our own services, either way: 16 MiB. */
export const maxMessageSizeBytes = 16 * 1024 * 1024;

/** Pings on an otherwise silent connection; never more often than Fabric's own servers allow. */
export const keepaliveTimeMs = 120_000;

/** How long an unanswered ping is waited for before the connection counts as lost. */
export const keepaliveTimeoutMs = 20_000;

/** Time for a unary call when the caller names none. */
export const defaultDeadlineMs = 30_000;

/** Streams one connection may hold open. */
export const maxStreamsPerConnection = 128;

/** Channel options for clients of our services. */
export function clientOptions(): ChannelOptions {
  return {
    'grpc.max_receive_message_length': maxMessageSizeBytes,
    'grpc.max_send_message_length': maxMessageSizeBytes,
    'grpc.keepalive_time_ms': keepaliveTimeMs,
    'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
    'grpc.keepalive_permit_without_calls': 0,
    'grpc.max_reconnect_backoff_ms': 10_000,
  };
}

/** Options for servers of our services. */
export function serverOptions(): ChannelOptions {
  return {
    'grpc.max_receive_message_length': maxMessageSizeBytes,
    'grpc.max_send_message_length': maxMessageSizeBytes,
    'grpc.keepalive_time_ms': keepaliveTimeMs,
    'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
    'grpc.max_concurrent_streams': maxStreamsPerConnection,
    'grpc.max_connection_idle_ms': 10 * 60_000,
  };
}
